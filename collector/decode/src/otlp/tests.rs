use super::*;

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

pub(super) fn message(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

pub(super) fn fixed(number: u8, bits: u64) -> Vec<u8> {
    [&[number << 3 | 1][..], &bits.to_le_bytes()].concat()
}

pub(super) fn attribute(key: &[u8], value: &[u8]) -> Vec<u8> {
    [message(1, key), message(2, &message(1, value))].concat()
}

/// A request of one gauge `a` with these points, its resource given.
fn request(resource: &[u8], points: &[Vec<u8>]) -> Bytes {
    let points = points.iter().map(|point| message(1, point)).collect::<Vec<_>>().concat();
    let metric = [message(1, b"a"), message(5, &points)].concat();
    let metrics = [message(1, resource), message(2, &message(2, &metric))].concat();
    message(1, &metrics).into()
}

fn point(attributes: &[(&[u8], &[u8])]) -> Vec<u8> {
    let attributes = attributes.iter().map(|(key, value)| message(7, &attribute(key, value)));
    [fixed(3, 1_700_000_000_000_000_000), fixed(4, 1f64.to_bits()), attributes.collect::<Vec<_>>().concat()].concat()
}

fn read(body: &Bytes) -> Result<Decoded, Error> {
    decode(body, i64::MAX, &Translation::default(), &Limits::default(), 4 << 20)
}

#[test]
fn every_truncation_is_refused_or_ends_between_fields() {
    let body = request(&[], &[point(&[(b"k", b"v")]), point(&[])]);
    for end in 1..body.len() {
        assert_eq!(read(&body.slice(..end)).unwrap_err().kind(), model::ErrorKind::Invalid, "{end}");
    }
    assert_eq!(read(&body).unwrap().points.len(), 2);
}

#[test]
fn text_that_is_none_costs_its_point_alone() {
    let body = request(&[], &[point(&[(b"k", b"\xff")]), point(&[(b"\xfe", b"v")]), point(&[(b"k", b"v")])]);
    let decoded = read(&body).unwrap();
    assert_eq!((decoded.points.len(), decoded.refused.points), (1, 2));
    assert!(decoded.refused.reasons.iter().all(|reason| reason.contains("is not UTF-8")), "{:?}", decoded.refused);
    // Of a resource it costs all of its points.
    let resource = message(1, &attribute(b"service.name", b"\xff"));
    let decoded = read(&request(&resource, &[point(&[])])).unwrap();
    assert_eq!((decoded.points.len(), decoded.refused.points), (0, 1));
}

#[test]
fn labels_have_limits() {
    let limits = Limits::default();
    let long = vec![b'x'; limits.max_value_bytes + 1];
    let keys: Vec<String> = (0..=limits.max_labels).map(|index| format!("k{index}")).collect();
    let many: Vec<(&[u8], &[u8])> = keys.iter().map(|key| (key.as_bytes(), &b"v"[..])).collect();
    for attributes in [vec![(&b"k"[..], &long[..])], vec![(&long[..], &b"v"[..])], many] {
        let decoded = read(&request(&[], &[point(&attributes), point(&[])])).unwrap();
        assert_eq!((decoded.points.len(), decoded.refused.points), (1, 1));
        assert!(decoded.refused.reasons[0].len() < 300, "{}", decoded.refused.reasons[0]);
    }
}

#[test]
fn lists_within_lists_have_an_end() {
    let mut value = message(1, b"x");
    for _ in 0..10_000 {
        value = message(5, &message(1, &value));
    }
    let deep = [message(1, b"k"), message(2, &value)].concat();
    let body = request(&[], &[[point(&[]), message(7, &deep)].concat(), point(&[])]);
    let decoded = read(&body).unwrap();
    assert_eq!((decoded.points.len(), decoded.refused.points), (1, 1));
    assert!(decoded.refused.reasons[0].contains("lists within lists"), "{:?}", decoded.refused);
}

#[test]
fn labels_that_are_repeated_do_not_grow_without_end() {
    // A resource with a label of 16 KB, and points of a few bytes.
    let big = vec![b'x'; 16 << 10];
    let resource = message(1, &attribute(b"service.name", &big));
    let points: Vec<Vec<u8>> = (0..2000u32).map(|index| point(&[(b"k", index.to_string().as_bytes())])).collect();
    let error = read(&request(&resource, &points)).unwrap_err();
    assert_eq!(error.kind(), model::ErrorKind::TooLarge);
    assert!(error.message().contains("written out for each series"), "{error}");
}

#[test]
fn rows_are_counted_before_they_are_kept() {
    let limits = Limits { max_rows: 100, ..Limits::default() };
    let points: Vec<Vec<u8>> = (0..200).map(|_| point(&[])).collect();
    let error = decode(&request(&[], &points), i64::MAX, &Translation::default(), &limits, 4 << 20).unwrap_err();
    assert_eq!(error.kind(), model::ErrorKind::TooLarge);
    assert!(error.message().contains("more than 100 samples"), "{error}");
}

#[test]
fn reasons_are_few_and_the_count_is_whole() {
    let mut refused = Refused::default();
    for number in 0..100 {
        refused.add(2, format!("reason {}", number % 20));
    }
    assert_eq!((refused.points, refused.reasons.len()), (200, 10));
}

/// A point whose keys are new, and one whose keys were there, have the same labels.
#[test]
fn points_are_read_the_same_whatever_came_before() {
    let keys: [&[u8]; 7] = [b"a", b"a.b", b"a_b", b"le", b"job", b"__name__", b"cluster"];
    let values: [&[u8]; 3] = [b"", b"1", b"x"];
    let mut points = Vec::new();
    for choice in 0..2000usize {
        let chosen = keys.iter().enumerate().filter(|(place, _)| choice >> place & 1 == 1);
        let attributes = chosen.map(|(place, key)| (*key, values[(choice / 128 + place) % 3]));
        points.push(point(&attributes.collect::<Vec<_>>()));
    }
    let resource = message(1, &attribute(b"service.name", b"shop"));
    let together = read(&request(&resource, &points)).unwrap();
    let mut builder = model::labels::LabelsBuilder::default();
    for (sample, point) in together.batch.samples.iter().zip(&points) {
        let alone = read(&request(&resource, std::slice::from_ref(point))).unwrap();
        let key = together.batch.key(sample.series as usize, &mut builder).unwrap();
        assert_eq!(key, alone.batch.key(0, &mut builder).unwrap());
    }
    assert_eq!(together.batch.samples.len(), points.len());
}

#[test]
fn each_point_has_its_series() {
    // The second goes on with the series of the first; the others have their own.
    let points: Vec<Vec<u8>> =
        [b"1", b"1", b"2", b"1"].into_iter().map(|value: &[u8; 1]| point(&[(b"k", value.as_slice())])).collect();
    let decoded = read(&request(&[], &points)).unwrap();
    assert_eq!(decoded.points, [0..1, 0..1, 1..2, 2..3]);
}
