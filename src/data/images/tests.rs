//! Every depth and colour of PNG gives the numbers that were written; folders are read in the order of names; what is
//! wrong is told with the name of the file.

use super::*;
use crate::base::Fault;
use std::fs;

fn write(path: &Path, color: png::ColorType, depth: png::BitDepth, size: (u32, u32), data: &[u8]) {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 255, 0, 51]);
        encoder.set_trns(vec![255, 10]);
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(path, bytes).unwrap();
}

fn grey(path: &Path, size: (u32, u32), level: u8) {
    let data = vec![level; (size.0 * size.1) as usize];
    write(path, png::ColorType::Grayscale, png::BitDepth::Eight, size, &data);
}

fn numbers(d: &Dataset, row: usize) -> Vec<f64> {
    d.get("image").unwrap().arrays().unwrap().row(row).collect()
}

fn labels(d: &Dataset, name: &str) -> Vec<String> {
    match &d.get(name).unwrap().values {
        Values::Label(v) => v.iter().map(|t| t.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_depth_and_colour_gives_what_was_written() {
    use png::{BitDepth as B, ColorType as C};
    let (a, b) = (51.0f32 / 255.0, 204.0f32 / 255.0);
    let fine = 12345.0f32 / 65535.0;
    /// Name, colour and depth, what is written, sizes and numbers that are read.
    type Row<'a> = (&'a str, C, B, &'a [u8], &'a [usize; 3], &'a [f32]);
    let rows: [Row; 8] = [
        ("grey", C::Grayscale, B::Eight, &[51, 204], &[1, 1, 2], &[a, b]),
        ("grey16", C::Grayscale, B::Sixteen, &[48, 57, 255, 255], &[1, 1, 2], &[fine, 1.0]),
        ("bits", C::Grayscale, B::One, &[0b0100_0000], &[1, 1, 2], &[0.0, 1.0]),
        ("greyalpha", C::GrayscaleAlpha, B::Eight, &[51, 7, 204, 9], &[1, 1, 2], &[a, b]),
        ("rgb", C::Rgb, B::Eight, &[51, 0, 204, 204, 255, 51], &[3, 1, 2], &[a, b, 0.0, 1.0, b, a]),
        (
            "rgb16",
            C::Rgb,
            B::Sixteen,
            &[48, 57, 0, 0, 255, 255, 0, 0, 48, 57, 0, 0],
            &[3, 1, 2],
            &[fine, 0.0, 0.0, fine, 1.0, 0.0],
        ),
        ("rgba", C::Rgba, B::Eight, &[51, 0, 204, 1, 204, 255, 51, 2], &[3, 1, 2], &[a, b, 0.0, 1.0, b, a]),
        ("palette", C::Indexed, B::Two, &[0b0100_0000], &[3, 1, 2], &[1.0, 0.0, 0.0, 0.0, a, 0.0]),
    ];
    for (name, color, depth, data, sizes, wanted) in rows {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a.png"), color, depth, (2, 1), data);
        let d = read_images(folder.path(), &ImageOptions::default()).unwrap();
        assert_eq!(d.get("image").unwrap().arrays().unwrap().sizes(), sizes, "{name}");
        assert_eq!(numbers(&d, 0), wanted.iter().map(|x| f64::from(*x)).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_folder_for_each_class_gives_classes_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (k, name) in ["dog/b.png", "cat/2.png", "cat/10.PNG", "dog/old/a.png"].iter().enumerate() {
        grey(&root.join(name), (3, 2), 10 * k as u8);
    }
    fs::write(root.join("cat/note.txt"), "no image").unwrap();
    fs::write(root.join("cat/c.jpg"), "no PNG").unwrap();
    fs::write(root.join(".hidden"), "x").unwrap();
    let d = read_images(root, &ImageOptions::default()).unwrap();
    assert_eq!(labels(&d, "file"), ["cat/10.PNG", "cat/2.png", "dog/b.png", "dog/old/a.png"]);
    assert_eq!(labels(&d, "class"), ["cat", "cat", "dog", "dog"]);
    let level = |k: usize| f64::from(10.0f32 * k as f32 / 255.0);
    assert_eq!(
        (0..4).map(|i| numbers(&d, i)[0]).collect::<Vec<_>>(),
        [level(2), level(1), level(0), level(3)]
    );
    assert_eq!(d.to_string(), "dataset of 4 rows: file, image [1, 2, 3], class");
    assert!(d.notes[0].message.contains("cat/c.jpg"), "{}", d.notes[0].message);
    // Pairs stay together.
    let parts = d.split(0.5, 0.0, 3).unwrap();
    for part in [&parts.train, &parts.test] {
        for (row, name) in labels(part, "file").iter().enumerate() {
            let whole = labels(&d, "file").iter().position(|n| n == name).unwrap();
            assert_eq!(numbers(part, row), numbers(&d, whole));
            assert_eq!(labels(part, "class")[row], labels(&d, "class")[whole]);
        }
    }
    let flat = read_images(&root.join("dog/old"), &ImageOptions::default()).unwrap();
    assert_eq!(flat.names().collect::<Vec<_>>(), ["file", "image"]);
}

#[test]
fn sizes_and_channels_are_made_equal_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    grey(&root.join("a.png"), (4, 4), 100);
    write(&root.join("b.png"), png::ColorType::Rgb, png::BitDepth::Eight, (2, 2), &[100; 12]);
    let fault = read_images(root, &ImageOptions { channels: Some(1), size: None }).unwrap_err();
    assert_eq!(fault.code(), Code(3055));
    assert!(fault.to_string().contains("a.png") && fault.hint().unwrap().contains("size: [4, 4]"), "{fault}");
    let fault = read_images(root, &ImageOptions { size: Some((3, 3)), channels: None }).unwrap_err();
    assert!(fault.hint().unwrap().contains("channels: 3"), "{fault}");
    // A mean of equal numbers is the number, and grey is a mean of colours.
    let d = read_images(root, &ImageOptions { size: Some((3, 5)), channels: Some(1) }).unwrap();
    let stack = d.get("image").unwrap().arrays().unwrap();
    assert_eq!(stack.sizes(), [1, 3, 5]);
    assert!(stack.floats().iter().all(|x| (x - 100.0 / 255.0).abs() < 1e-6));
    let d = read_images(root, &ImageOptions { size: Some((4, 4)), channels: Some(3) }).unwrap();
    assert_eq!(d.get("image").unwrap().arrays().unwrap().sizes(), [3, 4, 4]);
}

#[test]
fn scaling_keeps_means_and_equal_sizes() {
    let data: Vec<f32> = (0..64).map(|k| (k * 37 % 64) as f32).collect();
    let image = || Image { channels: 1, height: 8, width: 8, numbers: data.clone() };
    assert_eq!(image().scaled(8, 8).numbers, data);
    // An even ramp stays even: weights are symmetric.
    let ramp = Image { channels: 1, height: 1, width: 8, numbers: (0..8).map(|k| k as f32).collect() };
    let half = ramp.scaled(1, 4).numbers;
    assert!((half[1] - 2.5).abs() < 1e-6 && (half[2] - 4.5).abs() < 1e-6, "{half:?}");
}

#[test]
fn what_is_no_folder_of_images_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let read = |path: &Path| read_images(path, &ImageOptions::default()).unwrap_err();
    let told = |path: &Path, code: u16, words: &str| {
        let fault = read(path);
        assert_eq!(fault.code(), Code(code), "{fault}");
        assert!(fault.to_string().contains(words), "{words}: {fault}");
        assert!(fault.hint().is_some_and(|h| !h.is_empty()), "{fault}");
    };
    told(root, 3056, "found none");
    told(&root.join("absent"), 3056, "found nothing");
    grey(&root.join("good/cat/a.png"), (2, 2), 1);
    told(&root.join("good/cat/a.png"), 3056, "a file instead of a folder");
    assert!(read(&root.join("goof")).hint().unwrap().contains("good"));
    fs::create_dir(root.join("good/dog")).unwrap();
    told(&root.join("good"), 3056, "dog, found none");
    grey(&root.join("good/dog/b.png"), (2, 2), 1);
    grey(&root.join("good/loose.png"), (2, 2), 1);
    told(&root.join("good"), 3056, "loose.png beside folders");
    fs::remove_file(root.join("good/loose.png")).unwrap();
    let bad = root.join("good/dog/c.png");
    let whole = fs::read(root.join("good/dog/b.png")).unwrap();
    for (bytes, words) in [
        (&b""[..], "c.png, found an empty file"),
        (&b"GIF89a and more"[..], "c.png, found no PNG file"),
        (&whole[..whole.len() / 2], "c.png, found"),
        (&whole[..20], "c.png, found a file that ends early"),
    ] {
        fs::write(&bad, bytes).unwrap();
        told(&root.join("good"), 3054, words);
    }
    for cut in 0..whole.len() - 12 {
        fs::write(&bad, &whole[..cut]).unwrap();
        assert_eq!(read(&root.join("good")).code(), Code(3054), "{cut}");
    }
    fs::remove_file(&bad).unwrap();
    fs::create_dir(root.join("photos")).unwrap();
    fs::write(root.join("photos/a.jpg"), "x").unwrap();
    told(&root.join("photos"), 3056, "a.jpg, a format that is not built");
}
