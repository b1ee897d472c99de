use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// A file of version 1.0 as NumPy writes it.
fn file(header: &str, numbers: &[u8]) -> Vec<u8> {
    let mut text = header.to_owned();
    while !(10 + text.len() + 1).is_multiple_of(64) {
        text.push(' ');
    }
    text.push('\n');
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [&MAGIC[..], &[1, 0], &length, text.as_bytes(), numbers].concat()
}

fn read(bytes: Vec<u8>) -> Result<Header, NpyError> {
    Header::read(&mut Cursor::new(bytes))
}

fn plain(shape: &str, numbers: usize) -> Vec<u8> {
    file(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"), &vec![0; 8 * numbers])
}

#[test]
fn files_as_numpy_writes_them() {
    let found = read(plain("(3,)", 3)).unwrap();
    assert_eq!(found, Header { element: Float::Double, rows: 1, length: 3, offset: 128 });
    let found = read(plain("(2, 3)", 6)).unwrap();
    assert_eq!((found.rows, found.length), (2, 3));
    let single = file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", &[0; 24]);
    assert_eq!(read(single).unwrap().element, Float::Single);
    // A vector is in either order; keys may be in any, and the last comma may lack.
    let other = file("{\"shape\":(1,3),\"fortran_order\":True,\"descr\":\"<f8\"}", &[0; 24]);
    assert_eq!(read(other).unwrap().length, 3);
    let text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n";
    let second = [&MAGIC[..], &[2, 0], &58_u32.to_le_bytes(), text, &[0; 8]].concat();
    assert_eq!(read(second).unwrap().offset, 12 + 58);
}

#[test]
fn what_is_no_file_of_vectors() {
    let headed = |header: &str| file(header, &[0; 8]);
    let cases = [
        (Vec::new(), "it does not begin as one"),
        (b"salary,gender\n1,male\n".to_vec(), "it does not begin as one"),
        (plain("(1,)", 1)[..9].to_vec(), "it does not begin as one"),
        (plain("(1,)", 1)[..40].to_vec(), "it does not begin as one"),
        ([&MAGIC[..], &[3, 0], &[0; 100]].concat(), "version 3.0"),
        ([&MAGIC[..], &[2, 0], &u32::MAX.to_le_bytes()].concat(), "it has 4294967295 bytes, at most 4096"),
        (plain("(2,)", 1), "it has 136 bytes: its header makes it 144"),
        (plain("(1,)", 2), "it has 144 bytes: its header makes it 136"),
        (
            plain("(18446744073709551615, 18446744073709551615)", 1),
            "its header makes it 18446744073709551615",
        ),
        (plain("()", 1), "it has 0 axes"),
        (plain("(1, 1, 1)", 1), "it has 3 axes"),
        (plain("(1.5,)", 1), "its header does not read: expected \")\""),
        (plain("(-1,)", 1), "expected a whole number"),
        (plain("(99999999999999999999,)", 1), "expected a whole number"),
        (headed("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }"), "of type \"<i8\""),
        (headed("{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }"), "of type \">f8\""),
        (
            headed("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,), }"),
            "expected a text in quotes",
        ),
        (headed("{'descr': '<f8', 'fortran_order': 0, 'shape': (1,), }"), "expected True or False"),
        (headed("{'descr': '<f8', 'shape': (1,), }"), "it lacks 'descr', 'fortran_order' or 'shape'"),
        (headed("{'descr': '<f8', 'descr': '<f8', 'shape': (1,), }"), "it has \"descr\" twice"),
        (headed("{'descr': '<f8', 'order': False}"), "it has a key \"order\""),
        (headed("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x"), "behind the dictionary"),
        (headed("{'descr': '<f8"), "a text without its last quote"),
        (headed("{"), "expected a text in quotes"),
    ];
    for (bytes, words) in cases {
        let error = read(bytes).unwrap_err();
        assert!(error.to_string().contains(words), "{words:?} expected in {error}");
        assert!(!error.hint().is_empty());
    }
    let fortran = file("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", &[0; 32]);
    let error = read(fortran).unwrap_err();
    assert!(matches!(error, NpyError::Order) && error.hint().contains("ascontiguousarray"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(start in 0_usize..140, bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut damaged = plain("(2, 1)", 2);
        damaged.splice(start..(start + bytes.len()).min(damaged.len()), bytes);
        if let Ok(header) = read(damaged.clone()) {
            let size = header.rows * header.length * header.element.bytes() as u64;
            prop_assert_eq!(header.offset + size, damaged.len() as u64);
        }
    }

    #[test]
    fn every_shape_is_read_as_it_was_written(rows in 1_u64..50, length in 1_u64..50) {
        let count = usize::try_from(rows * length).unwrap();
        let header = read(plain(&format!("({rows}, {length})"), count)).unwrap();
        prop_assert_eq!((header.rows, header.length), (rows, length));
    }
}
