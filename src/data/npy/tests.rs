//! Files that NumPy 2.4.6 wrote (tests/fuzz/corpus/npy) read as it wrote them; what phys writes reads back; sizes
//! that are not there are refused before anything is allocated.

use super::*;
use crate::base::{Code, Fault};
use crate::data::testing::{cases, catalogue};
use crate::data::{
    Column, Dataset, Missing, ReadOptions, npy_bytes, npz_bytes, read_npy_bytes, read_npz_bytes,
};
use proptest::prelude::*;

fn file(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/npy");
    std::fs::read(folder.join(name)).unwrap()
}

fn read(name: &str) -> Result<Dataset, DataError> {
    read_with(name, &ReadOptions::default())
}

fn read_with(name: &str, options: &ReadOptions) -> Result<Dataset, DataError> {
    let bytes = file(name);
    match name.ends_with(".npz") {
        true => read_npz_bytes(name, &bytes, &catalogue(), options),
        false => read_npy_bytes(name, &bytes, &catalogue(), options),
    }
}

fn only(name: &str) -> Values {
    let d = read(name).unwrap();
    assert_eq!(d.columns().len(), 1, "{name}");
    d.columns()[0].values.clone()
}

#[test]
fn both_orders_and_byte_orders_are_one_matrix() {
    for name in ["f8_c.npy", "f8_fortran.npy", "f4_big.npy", "f4_big_fortran.npy", "version2.npy"] {
        let d = read(name).unwrap();
        assert_eq!(d.names().collect::<Vec<_>>(), ["x0", "x1"], "{name}");
        assert_eq!(d.columns()[0].values, Values::F64(vec![0.0, 0.5, 1.0]), "{name}");
        assert_eq!(d.columns()[1].values, Values::F64(vec![0.25, 0.75, 1.25]), "{name}");
    }
}

#[test]
fn whole_numbers_of_every_size() {
    for (bits, name) in
        [(8, "i1_little"), (16, "i2_little"), (16, "i2_big"), (32, "i4_little"), (32, "i4_big")]
    {
        let top = (1i64 << (bits - 1)) - 1;
        assert_eq!(only(&format!("{name}.npy")), Values::Integer(vec![-top - 1, -1, 0, top]), "{name}");
    }
    for name in ["i8_little.npy", "i8_big.npy"] {
        assert_eq!(only(name), Values::Integer(vec![i64::MIN, -1, 0, i64::MAX]));
    }
    for (bits, name) in
        [(8, "u1_little"), (16, "u2_little"), (16, "u2_big"), (32, "u4_little"), (32, "u4_big")]
    {
        assert_eq!(only(&format!("{name}.npy")), Values::Integer(vec![0, 1, (1i64 << bits) - 1]), "{name}");
    }
    for name in ["u8_little.npy", "u8_big.npy"] {
        assert_eq!(only(name), Values::F64(vec![0.0, 1.0, u64::MAX as f64]));
    }
    assert_eq!(only("bool.npy"), Values::Integer(vec![1, 0, 1]));
}

#[test]
fn other_numbers_and_texts() {
    let half = [0.0, 1.5, -2.0, 1023.0 * 2f64.powi(-24), 2f64.powi(-24), 65504.0];
    assert_eq!(only("f2.npy"), Values::F64(half.to_vec()));
    for name in ["c16.npy", "c8_big.npy"] {
        assert_eq!(only(name), Values::Complex(vec![(1.0, 2.0), (-0.0, -0.5)]), "{name}");
    }
    assert_eq!(only("unicode.npy"), Values::Label(vec!["Mars".into(), "ε Eri".into(), "".into()]));
    assert_eq!(only("bytes.npy"), Values::Label(vec!["Mars".into(), "Io".into()]));
    assert_eq!(only("scalar.npy"), Values::F64(vec![2.5]));
}

#[test]
fn fields_and_members_become_columns() {
    let d = read("structured.npy").unwrap();
    assert_eq!(d.names().collect::<Vec<_>>(), ["v", "n", "name"]);
    assert_eq!(d.columns()[0].unit, Some(catalogue().parse("km/s").unwrap()));
    assert_eq!(d.columns()[1].values, Values::Integer(vec![2, -3]));
    assert_eq!(d.columns()[2].values, Values::Label(vec!["a".into(), "bc".into()]));
    let d = read("aligned.npy").unwrap();
    assert_eq!((d.columns()[0].si_values(), d.columns()[1].si_values()), (vec![1.0, 2.0], vec![2.5, 3.5]));
    let d = read("subarray.npy").unwrap();
    assert_eq!(d.names().collect::<Vec<_>>(), ["t", "x0", "x1", "x2"]);
    assert_eq!(d.columns()[2].values, Values::Integer(vec![2, 5]));
    let d = read("version3.npy").unwrap();
    assert_eq!(d.columns()[0].errors.as_deref(), Some(&[10.0, 15.0][..]));
    assert_eq!(read("plain.npz").unwrap().names().collect::<Vec<_>>(), ["t", "x"]);
    let d = read("packed.npz").unwrap();
    assert_eq!((d.rows(), d.columns()[0].si_values()[49]), (50, 24.5));
    assert_eq!(read("matrix.npz").unwrap().names().collect::<Vec<_>>(), ["t", "x0", "x1"]);
    let member = ReadOptions { member: Some("test".to_string()), ..ReadOptions::default() };
    assert_eq!(read_with("lengths.npz", &member).unwrap().rows(), 2);
    let headers = Some(vec!["t [s]".to_string(), "± t [s]".to_string()]);
    let headers = ReadOptions { headers, ..ReadOptions::default() };
    let d = read_with("f8_c.npy", &headers).unwrap();
    assert_eq!(d.columns()[0].errors.as_deref(), Some(&[0.25, 0.75, 1.25][..]));
}

#[test]
fn what_is_no_table_is_told() {
    for (name, code, words) in [
        ("object.npy", 3041, "Python objects"),
        ("date.npy", 3041, "dates"),
        ("nested.npy", 3041, "fields within fields"),
        ("empty.npy", 3009, "rows"),
        ("nan.npy", 3013, "row 1"),
        ("inf.npy", 3013, "row 1"),
        ("lengths.npz", 3045, "3 in `train` and 2 in `test`"),
    ] {
        let fault = read(name).unwrap_err();
        assert_eq!(fault.code(), Code(code), "{name}: {fault}");
        assert!(fault.to_string().contains(words) && fault.hint().is_some(), "{name}: {fault}");
    }
    let with = |missing| read_with("nan.npy", &ReadOptions::missing(missing)).unwrap();
    assert_eq!(with(Missing::Drop).rows(), 2);
    assert!(with(Missing::Keep).columns()[0].is_missing(1));
    let member = ReadOptions { member: Some("trian".to_string()), ..ReadOptions::default() };
    let fault = read_with("lengths.npz", &member).unwrap_err();
    assert_eq!(
        (fault.code(), fault.hint().unwrap()),
        (Code(3046), "read(\"lengths.npz\", member: \"train\")".into())
    );
}

#[test]
fn rows_of_more_axes_are_arrays() {
    let stack = |name: &str, whole| {
        let options = ReadOptions { whole, missing: Missing::Keep, ..ReadOptions::default() };
        let d = read_with(name, &options).unwrap();
        assert_eq!(d.names().collect::<Vec<_>>(), ["x"], "{name}");
        d.columns()[0].arrays().unwrap().clone()
    };
    let three = stack("three.npy", false);
    assert_eq!((three.len(), three.sizes()), (2, &[3, 4][..]));
    let counted: Vec<f64> = (0..24).map(f64::from).collect();
    // The same numbers with the first axis fastest, in big-endian order, in the precision that holds them.
    let turned = stack("i2_fortran_three.npy", false);
    assert_eq!((turned.floats(), turned.sizes()), (counted.clone(), three.sizes()));
    assert!(matches!(turned.numbers(), Numbers::F32(_)));
    let bytes = stack("u1_four.npy", false);
    assert_eq!((bytes.floats(), bytes.sizes()), (counted, &[3, 2, 2][..]));
    assert!(matches!(bytes.numbers(), Numbers::U8(_)));
    for name in ["f8_c.npy", "f8_fortran.npy", "f4_big.npy", "f4_big_fortran.npy"] {
        let matrix = stack(name, true);
        assert_eq!(matrix.floats(), [0.0, 0.25, 0.5, 0.75, 1.0, 1.25], "{name}");
        assert_eq!(matrix.sizes(), [2]);
    }
    let options = ReadOptions { whole: true, ..ReadOptions::default() };
    assert_eq!(read_with("matrix.npz", &options).unwrap().names().collect::<Vec<_>>(), ["t", "x"]);
    let texts = read_npy_bytes("a", &claims("(1, 1, 2)", "'<U1'", 8), &catalogue(), &options).unwrap_err();
    assert_eq!(texts.code(), Code(3043));
    let cut = read_npy_bytes("a", &claims("(2, 3, 4)", "'<f4'", 95), &catalogue(), &options).unwrap_err();
    assert_eq!(cut.code(), Code(3042));
    let none = read_npy_bytes("a", &claims("(2, 0, 4)", "'<f4'", 0), &catalogue(), &options).unwrap_err();
    assert_eq!(none.code(), Code(3009));
}

#[test]
fn an_array_with_a_missing_number_is_missing() {
    let mut bytes = claims("(2, 1, 2)", "'<f8'", 0);
    [1.0, f64::NAN, 2.0, 3.0].iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    let read = |missing| read_npy_bytes("a", &bytes, &catalogue(), &ReadOptions::missing(missing));
    assert_eq!(read(Missing::Fault).unwrap_err().code(), Code(3013));
    assert_eq!(read(Missing::Drop).unwrap().columns()[0].arrays().unwrap().floats(), [2.0, 3.0]);
    let kept = read(Missing::Keep).unwrap();
    assert!(kept.columns()[0].is_missing(0) && !kept.columns()[0].is_missing(1));
}

/// An array of floats whose header claims this shape.
fn claims(shape: &str, descr: &str, body: usize) -> Vec<u8> {
    let mut bytes = header::text(descr, shape);
    bytes.resize(bytes.len() + body, 0);
    bytes
}

#[test]
fn shapes_that_the_file_does_not_hold_are_refused() {
    for (shape, descr, body, code) in [
        ("(1000000000000,)", "'<f8'", 16, 3042),
        ("(9223372036854775807, 9223372036854775807)", "'<f8'", 16, 3042),
        ("(18446744073709551615,)", "'|i1'", 16, 3042),
        ("(3,)", "'<f8'", 23, 3042),
        ("(3,)", "'<f8'", 25, 3042),
        ("(0, 1000000000000)", "'<f8'", 0, 3009),
        ("(1000000000000, 0)", "'<f8'", 0, 3009),
        ("(1, 200000)", "'|i1'", 200_000, 3043),
        ("(1000000000000,)", "'<U0'", 0, 3041),
        ("(1000000000000,)", "'|V0'", 0, 3041),
        ("(2,)", "[('x', '|i1', (9223372036854775807, 4))]", 16, 3040),
        ("(2,)", "[('x', '|i1', (200000,))]", 400_000, 3043),
        ("(-3,)", "'<f8'", 24, 3040),
        ("(True,)", "'<f8'", 8, 3040),
        ("3", "'<f8'", 24, 3040),
        ("(3,)", "'<f16'", 48, 3041),
        ("(3,)", "'<i3'", 9, 3041),
        ("(3,)", "'pickle'", 9, 3041),
        ("(3,)", "__import__('os')", 24, 3040),
    ] {
        let fault =
            read_npy_bytes("a.npy", &claims(shape, descr, body), &catalogue(), &ReadOptions::default());
        let fault = fault.unwrap_err();
        assert_eq!(fault.code(), Code(code), "{shape} {descr}: {fault}");
    }
    let whole = file("structured.npy");
    for cut in 0..whole.len() {
        let fault =
            read_npy_bytes("a.npy", &whole[..cut], &catalogue(), &ReadOptions::default()).unwrap_err();
        assert!(matches!(fault.code(), Code(3005 | 3040 | 3042)), "{cut}: {fault}");
    }
    let whole = file("packed.npz");
    for cut in (0..whole.len()).step_by(7) {
        let fault =
            read_npz_bytes("a.npz", &whole[..cut], &catalogue(), &ReadOptions::default()).unwrap_err();
        assert_eq!(fault.code(), Code(3044), "{cut}: {fault}");
    }
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(
        read_npy_bytes("a.npy", &claims(&deep, "'<f8'", 8), &catalogue(), &ReadOptions::default()).is_err()
    );
}

/// Kind of a column, and its cells in each kind.
type Drawn = (u8, Vec<(i64, f64, String)>);

fn columns() -> impl Strategy<Value = Vec<Drawn>> {
    let cell = (any::<i64>(), -1e300f64..1e300, "[a-zäλ ]{0,5}");
    (1usize..8).prop_flat_map(move |rows| {
        prop::collection::vec((0u8..8, prop::collection::vec(cell.clone(), rows)), 1..5)
    })
}

fn array(sizes: &[usize], numbers: impl Into<Numbers>) -> Values {
    Values::Array(crate::data::Stack::new(sizes, numbers).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn datasets_come_back_from_npy_and_npz(table in columns()) {
        let units = catalogue();
        let columns: Vec<Column> = table
            .iter()
            .enumerate()
            .map(|(k, (kind, cells))| {
                let unit = (2 < *kind && *kind < 6).then(|| units.parse("km/s").unwrap());
                let values = match kind {
                    0 => Values::Integer(cells.iter().map(|c| c.0).collect()),
                    1 => Values::Label(cells.iter().map(|c| c.2.as_str().into()).collect()),
                    2 => Values::Complex(cells.iter().map(|c| (c.1, -c.1)).collect()),
                    5 => array(&[1, 2], cells.iter().flat_map(|c| [(c.1 * 1e-270) as f32, c.0 as f32]).collect::<Vec<f32>>()),
                    6 => array(&[3], cells.iter().flat_map(|c| [c.0 as u8, 0, 255]).collect::<Vec<u8>>()),
                    7 => array(&[2, 1, 1], cells.iter().flat_map(|c| [c.1, -c.1]).collect::<Vec<f64>>()),
                    _ => Values::F64(cells.iter().map(|c| c.1).collect()),
                };
                let mut column = Column::new(&format!("c{k}"), unit, values);
                if *kind == 4 {
                    column.errors = Some(cells.iter().map(|c| c.1.abs()).collect());
                }
                column
            })
            .collect();
        let d = Dataset::new("d", columns).unwrap();
        let options = ReadOptions { whole: true, ..ReadOptions::missing(Missing::Keep) };
        let npy = read_npy_bytes("d", &npy_bytes(&d).unwrap(), &units, &options).unwrap();
        prop_assert_eq!(npy.columns(), d.columns());
        let npz = read_npz_bytes("d", &npz_bytes(&d).unwrap(), &units, &options).unwrap();
        prop_assert_eq!(npz.columns(), d.columns());
    }
}
