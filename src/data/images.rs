//! Folders of images, as PyTorch's ImageFolder has them: a folder for each class with its images, or images alone. PNG
//! of any depth and colour becomes arrays [channels, height, width] of numbers from 0 to 1; palettes are expanded and
//! alpha is dropped. Files are read in the order of their names.

use super::column::{Column, Values};
use super::dataset::Dataset;
use super::error::DataError;
use super::stack::Stack;
use super::write::reason;
use crate::base::{Code, Diagnostic, suggest};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An image has at most this many pixels.
const MAX_PIXELS: u64 = 1 << 28;
/// All images together have at most this many numbers.
const MAX_NUMBERS: usize = 1 << 32;
/// Images that are read at once, on all threads; what they hold is in memory twice for a while.
const AT_ONCE: usize = 256;
/// Folders within a class nest at most this deep.
const MAX_DEPTH: usize = 32;
/// Parts of grey in red, green and blue (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];
/// Endings of images that are not read.
const OTHERS: [&str; 8] = ["jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "ppm"];

/// How to read images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// Height and width to scale to; those of the images, which must agree, where nothing is said.
    pub size: Option<(usize, usize)>,
    /// 1 for grey, 3 for colour; those of the images, which must agree, where nothing is said.
    pub channels: Option<usize>,
}

/// A folder of images as columns `file`, `image` and, where it has folders, `class`.
///
/// # Errors
/// No folder, no images, one that cannot be read, or images of different sizes.
pub fn read_images(folder: &Path, options: &ImageOptions) -> Result<Dataset, DataError> {
    let source = folder.display().to_string();
    let found = Found::in_folder(folder)?;
    let Some(file) = found.files.first() else {
        return Err(no_images(folder, "none".to_string(), "save the images as PNG files in it".to_string()));
    };
    let path = |file: &File| folder.join(&file.name);
    let first = Image { numbers: Vec::new(), ..Image::read(&path(file), options)? };
    let sizes = first.sizes();
    let count = found.files.len().saturating_mul(sizes.iter().product());
    if count > MAX_NUMBERS {
        let found = format!("{} images of {} with {count} numbers", found.files.len(), first.words());
        return Err(no_images(folder, found, format!("images(\"{source}\", size: [64, 64])")));
    }
    let mut numbers = Vec::with_capacity(count);
    for files in found.files.chunks(AT_ONCE) {
        let images: Vec<Result<Image, DataError>> =
            files.par_iter().map(|file| Image::read(&path(file), options)).collect();
        for (file, image) in files.iter().zip(images) {
            let image = image?;
            if image.sizes() != sizes {
                let hint = if (image.height, image.width) == (first.height, first.width) {
                    format!("images(\"{source}\", channels: 3)")
                } else {
                    format!("images(\"{source}\", size: [{}, {}])", first.height, first.width)
                };
                let own = |file: &File, i: &Image| (path(file).display().to_string(), i.words());
                let (first, other) = (own(&found.files[0], &first), own(file, &image));
                return Err(DataError::ImageSizes { first, other, hint });
            }
            numbers.extend(image.numbers);
        }
    }
    let label = |text: &dyn Fn(&File) -> Arc<str>| Values::Label(found.files.iter().map(text).collect());
    let stack = Stack::new(&sizes, numbers)
        .ok_or_else(|| no_images(folder, "images without pixels".to_string(), String::new()))?;
    let mut columns = vec![
        Column::new("file", None, label(&|f| f.name.as_str().into())),
        Column::new("image", None, Values::Array(stack)),
    ];
    if found.files.iter().all(|f| f.class.is_some()) {
        columns.push(Column::new("class", None, label(&|f| f.class.as_deref().unwrap_or_default().into())));
    }
    let mut data = Dataset::new(&source, columns)?;
    if let Some(first) = found.others.first() {
        let n = found.others.len();
        let (files, were) = if n == 1 { ("file", "was") } else { ("files", "were") };
        let message = format!("{n} {files} in {source} {were} left out, since only PNG is read: {first}");
        data.notes.push(Diagnostic::notice(Code(3056), None, message));
    }
    Ok(data)
}

/// Whether a folder holds PNG files, or folders that do.
pub(super) fn is_folder_of_images(folder: &Path) -> bool {
    let holds = |folder: &Path| {
        entries(folder).is_ok_and(|(_, files)| files.iter().any(|f| f.to_lowercase().ends_with(".png")))
    };
    holds(folder) || entries(folder).is_ok_and(|(folders, _)| folders.iter().any(|f| holds(&folder.join(f))))
}

fn no_images(folder: &Path, found: String, hint: String) -> DataError {
    DataError::NoImages { path: folder.display().to_string(), found, hint }
}

/// An image file: its path below the folder, with `/` between names, and its class.
struct File {
    name: String,
    class: Option<String>,
}

/// What is in a folder.
#[derive(Default)]
struct Found {
    files: Vec<File>,
    /// Pictures in other formats.
    others: Vec<String>,
}

impl Found {
    fn in_folder(folder: &Path) -> Result<Found, DataError> {
        if !folder.exists() {
            let near = nearest(folder).map(|n| format!("images(\"{n}\")"));
            let hint = near.unwrap_or_else(|| "the path is relative to the script".to_string());
            return Err(no_images(folder, "nothing".to_string(), hint));
        }
        if !folder.is_dir() {
            let parent = folder.parent().map_or_else(String::new, |p| p.display().to_string());
            let hint =
                format!("name the folder: images(\"{}\")", if parent.is_empty() { "." } else { &parent });
            return Err(no_images(folder, "a file instead of a folder".to_string(), hint));
        }
        let mut found = Found::default();
        let (folders, files) = entries(folder)?;
        for name in &files {
            found.add(name.clone(), None);
        }
        let flat = found.files.len();
        for class in &folders {
            let before = found.files.len();
            found.walk(folder, class, class, 0)?;
            if found.files.len() == before && flat == 0 {
                let others = found.others.iter().find(|o| o.starts_with(&format!("{class}/")));
                return Err(match others {
                    Some(other) => found.not_png(&folder.join(class), other),
                    None => no_images(
                        &folder.join(class),
                        "none".to_string(),
                        format!("every class has an image: remove the folder {class}, or put one in it"),
                    ),
                });
            }
        }
        if flat > 0 && found.files.len() > flat {
            let message = format!("{} beside folders of images such as {}", found.files[0].name, folders[0]);
            let hint = format!("put {} in a folder of its class", found.files[0].name);
            return Err(no_images(folder, message, hint));
        }
        if found.files.is_empty() {
            return Err(match found.others.first() {
                Some(other) => found.not_png(folder, other),
                None => no_images(
                    folder,
                    "none".to_string(),
                    "put PNG files in it, or a folder of them for each class".to_string(),
                ),
            });
        }
        Ok(found)
    }

    fn not_png(&self, folder: &Path, other: &str) -> DataError {
        let ending = other.rsplit('.').next().unwrap_or("jpg");
        let hint = format!("convert them: mogrify -format png *.{ending}");
        no_images(folder, format!("{other}, a format that is not built in this version"), hint)
    }

    /// The images of a class in the order of their paths.
    fn walk(&mut self, root: &Path, path: &str, class: &str, depth: usize) -> Result<(), DataError> {
        if depth > MAX_DEPTH {
            let found = format!("folders that nest deeper than {MAX_DEPTH}");
            return Err(no_images(&root.join(path), found, "put the images closer".to_string()));
        }
        let (folders, files) = entries(&root.join(path))?;
        for name in files {
            self.add(format!("{path}/{name}"), Some(class));
        }
        folders.iter().try_for_each(|name| self.walk(root, &format!("{path}/{name}"), class, depth + 1))
    }

    fn add(&mut self, name: String, class: Option<&str>) {
        let ending = Path::new(&name).extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("png") => self.files.push(File { name, class: class.map(str::to_string) }),
            Some(other) if OTHERS.contains(&other) => self.others.push(name),
            _ => {}
        }
    }
}

/// Names of folders and of files, each in order; hidden ones are left out.
fn entries(folder: &Path) -> Result<(Vec<String>, Vec<String>), DataError> {
    let fault =
        |e: std::io::Error| DataError::Unreadable { path: folder.display().to_string(), reason: reason(&e) };
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        if entry.path().is_dir() { folders.push(name) } else { files.push(name) }
    }
    folders.sort_unstable();
    files.sort_unstable();
    Ok((folders, files))
}

/// The folder beside it with the nearest name.
fn nearest(folder: &Path) -> Option<String> {
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (folders, _) = entries(parent).ok()?;
    let wanted = folder.file_name()?.to_str()?;
    let name = suggest::nearest(wanted, folders.iter().map(String::as_str))?;
    let path: PathBuf = folder.with_file_name(name);
    Some(path.display().to_string())
}

/// Numbers from 0 to 1, channel by channel.
struct Image {
    channels: usize,
    height: usize,
    width: usize,
    numbers: Vec<f32>,
}

impl Image {
    fn sizes(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    fn words(&self) -> String {
        format!("[{}, {}, {}]", self.channels, self.height, self.width)
    }

    fn read(path: &Path, options: &ImageOptions) -> Result<Image, DataError> {
        let mut image = Image::decode(path)?;
        if let Some(channels) = options.channels {
            image = image.with_channels(channels);
        }
        if let Some((height, width)) = options.size {
            image = image.scaled(height, width);
        }
        Ok(image)
    }

    fn decode(path: &Path) -> Result<Image, DataError> {
        let shown = path.display().to_string();
        let fault =
            |found: String, hint: &str| DataError::Image { path: shown.clone(), found, hint: hint.into() };
        let broken = |e: png::DecodingError| match e {
            png::DecodingError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                fault("a file that ends early".to_string(), "copy or save it again")
            }
            png::DecodingError::IoError(e) => {
                DataError::Unreadable { path: shown.clone(), reason: reason(&e) }
            }
            png::DecodingError::LimitsExceeded => too_large(&shown),
            other => fault(
                format!("no PNG file ({})", other.to_string().to_lowercase().trim_end_matches('.')),
                "save it as PNG, or take it out of the folder",
            ),
        };
        let bytes = std::fs::read(path)
            .map_err(|e| DataError::Unreadable { path: shown.clone(), reason: reason(&e) })?;
        if bytes.is_empty() {
            return Err(fault("an empty file".to_string(), "copy or save it again"));
        }
        let limits = png::Limits { bytes: MAX_PIXELS as usize * 8 };
        let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().map_err(broken)?;
        let (width, height) = reader.info().size();
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(too_large(&shown));
        }
        let size = reader.output_buffer_size().ok_or_else(|| too_large(&shown))?;
        let mut pixels = vec![0; size];
        let info = reader.next_frame(&mut pixels).map_err(broken)?;
        // With alpha after the colours.
        let (samples, channels) = match info.color_type {
            png::ColorType::Grayscale => (1, 1),
            png::ColorType::GrayscaleAlpha => (2, 1),
            png::ColorType::Rgb | png::ColorType::Indexed => (3, 3),
            png::ColorType::Rgba => (4, 3),
        };
        let (width, height) = (info.width as usize, info.height as usize);
        let bytes = if info.bit_depth == png::BitDepth::Sixteen { 2 } else { 1 };
        let number = |at: usize| match bytes {
            2 => f32::from(u16::from_be_bytes([pixels[at], pixels[at + 1]])) / 65535.0,
            _ => f32::from(pixels[at]) / 255.0,
        };
        let mut numbers = Vec::with_capacity(channels * height * width);
        for channel in 0..channels {
            for row in 0..height {
                let from = row * info.line_size + channel * bytes;
                numbers.extend((0..width).map(|k| number(from + k * samples * bytes)));
            }
        }
        Ok(Image { channels, height, width, numbers })
    }

    /// Grey as colour, or colour as grey.
    fn with_channels(self, channels: usize) -> Image {
        let plane = self.height * self.width;
        let numbers = match (self.channels, channels) {
            (1, 3) => self.numbers.repeat(3),
            (3, 1) => (0..plane)
                .map(|k| LUMA.iter().enumerate().map(|(c, w)| w * self.numbers[c * plane + k]).sum())
                .collect(),
            _ => return self,
        };
        Image { channels, numbers, ..self }
    }

    /// Of another size: along each axis every pixel is a mean of those near it, weighed by a triangle as wide as a pixel of
    /// the smaller image on each side (linear interpolation where it is enlarged).
    fn scaled(self, height: usize, width: usize) -> Image {
        let across = weights(self.width, width);
        let down = weights(self.height, height);
        let mut numbers = Vec::with_capacity(self.channels * height * width);
        for plane in self.numbers.chunks(self.height * self.width) {
            let narrow: Vec<Vec<f32>> = plane
                .chunks(self.width)
                .map(|row| across.iter().map(|w| w.mean(|k| row[k])).collect())
                .collect();
            for w in &down {
                numbers.extend((0..width).map(|x| w.mean(|k| narrow[k][x])));
            }
        }
        Image { height, width, numbers, ..self }
    }
}

fn too_large(path: &str) -> DataError {
    DataError::Image {
        path: path.to_string(),
        found: format!("more than {MAX_PIXELS} pixels"),
        hint: "make it smaller, or take it out of the folder".to_string(),
    }
}

/// Weights of the pixels from `first` on; their sum is 1.
struct Weights {
    first: usize,
    weights: Vec<f32>,
}

impl Weights {
    fn mean(&self, pixel: impl Fn(usize) -> f32) -> f32 {
        self.weights.iter().enumerate().map(|(k, w)| w * pixel(self.first + k)).sum()
    }
}

/// For each of `to` pixels the weights of `from` pixels.
fn weights(from: usize, to: usize) -> Vec<Weights> {
    let ratio = from as f64 / to as f64;
    let reach = ratio.max(1.0);
    let one = |k: usize| {
        let centre = (k as f64 + 0.5) * ratio;
        let first = (centre - reach).floor().max(0.0) as usize;
        let last = ((centre + reach).ceil() as usize).min(from);
        let raw: Vec<f64> =
            (first..last).map(|i| (1.0 - ((i as f64 + 0.5 - centre) / reach).abs()).max(0.0)).collect();
        let total: f64 = raw.iter().sum();
        Weights { first, weights: raw.iter().map(|w| (w / total) as f32).collect() }
    };
    (0..to).map(one).collect()
}

#[cfg(test)]
mod tests;
