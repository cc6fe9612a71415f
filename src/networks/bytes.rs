//! States as bytes and back without loss: numbers little-endian, floats by their bits, lists behind their length. A reader
//! gives `None` at the first thing that is not there, so that a state cut short is known as such and never half used.

/// Writes a state.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// What was written.
    pub fn done(self) -> Vec<u8> {
        self.0
    }

    /// A whole number.
    pub fn u64(&mut self, x: u64) {
        self.0.extend_from_slice(&x.to_le_bytes());
    }

    /// A float.
    pub fn f64(&mut self, x: f64) {
        self.u64(x.to_bits());
    }

    /// Yes or no.
    pub fn flag(&mut self, x: bool) {
        self.u64(u64::from(x));
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self, x: &[u8]) {
        self.u64(x.len() as u64);
        self.0.extend_from_slice(x);
    }

    /// A text.
    pub fn text(&mut self, x: &str) {
        self.bytes(x.as_bytes());
    }

    /// Floats behind their number.
    pub fn f64s(&mut self, x: &[f64]) {
        self.u64(x.len() as u64);
        x.iter().for_each(|x| self.f64(*x));
    }

    /// Single floats behind their number.
    pub fn f32s(&mut self, x: &[f32]) {
        self.u64(x.len() as u64);
        x.iter().for_each(|x| self.0.extend_from_slice(&x.to_le_bytes()));
    }

    /// Something or nothing.
    pub fn option<T>(&mut self, x: Option<&T>, write: impl FnOnce(&mut Writer, &T)) {
        self.flag(x.is_some());
        if let Some(x) = x {
            write(self, x);
        }
    }
}

/// Reads what a [`Writer`] wrote, in the same order.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    /// Whether all is read.
    pub fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    /// A whole number.
    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A float.
    pub fn f64(&mut self) -> Option<f64> {
        self.u64().map(f64::from_bits)
    }

    /// Yes or no.
    pub fn flag(&mut self) -> Option<bool> {
        match self.u64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let n = usize::try_from(self.u64()?).ok()?;
        self.take(n)
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Floats behind their number.
    pub fn f64s(&mut self) -> Option<Vec<f64>> {
        let n = usize::try_from(self.u64()?).ok()?.checked_mul(8)?;
        let (words, _) = self.take(n)?.as_chunks::<8>();
        Some(words.iter().map(|w| f64::from_le_bytes(*w)).collect())
    }

    /// Single floats behind their number.
    pub fn f32s(&mut self) -> Option<Vec<f32>> {
        let n = usize::try_from(self.u64()?).ok()?.checked_mul(4)?;
        let (words, _) = self.take(n)?.as_chunks::<4>();
        Some(words.iter().map(|w| f32::from_le_bytes(*w)).collect())
    }

    /// Something or nothing.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Reader<'a>) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_is_not() {
        let mut out = Writer::default();
        out.u64(7);
        out.text("moments");
        out.f64s(&[f64::NAN, -0.0, 1e-300]);
        out.f32s(&[1.5, f32::INFINITY]);
        out.option(Some(&3.0), |out, x| out.f64(*x));
        out.option(None::<&f64>, |out, x| out.f64(*x));
        let bytes = out.done();
        let read = |bytes: &[u8]| {
            let mut from = Reader::new(bytes);
            let all = (
                from.u64()?,
                from.text()?.to_string(),
                from.f64s()?,
                from.f32s()?,
                from.option(|f| f.f64())?,
                from.option(|f| f.f64())?,
            );
            from.at_end().then_some(all)
        };
        let (seven, name, wide, narrow, some, none) = read(&bytes).unwrap();
        assert_eq!((seven, name.as_str(), some, none), (7, "moments", Some(3.0), None));
        assert!(wide[0].is_nan() && wide[1].is_sign_negative() && wide[2] == 1e-300);
        assert_eq!(narrow, [1.5, f32::INFINITY]);
        assert!((0..bytes.len()).all(|end| read(&bytes[..end]).is_none()));
        // A length that reaches past the end asks for no memory.
        assert!(Reader::new(&u64::MAX.to_le_bytes()).f64s().is_none());
    }
}
