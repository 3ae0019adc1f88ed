//! Log lines.

use serde_json::json;

use super::Series;
use super::encode::{self, Form, Line};
use super::sender::{Packing, Signal};

const YEAR_2262: i64 = i64::MAX - 854_775_807;

/// Text with bytes that terminals, C and decoders of UTF-8 stumble over, and JSON that parsers do.
pub(super) async fn odd_text_is_kept(series: &mut Series) {
    // Who looks for a level in a line that is an object must not go down after it.
    let deep = [br#"{"a":"#.repeat(100_000), b"1".to_vec(), vec![b'}'; 100_000]].concat();
    let keys: Vec<String> = (0..10_000).map(|key| format!("\"key {key}\":{key}")).collect();
    let bodies: [Vec<u8>; 11] = [
        Vec::new(),
        b"\0".to_vec(),
        b"\0between\0and at the end\0".to_vec(),
        b"\x1b[31mred\x1b[0m \x1b]0;a title\x07 \x9b2J".to_vec(),
        b"caf\xe9, a cut \xe6\x97, a lone \x80, half a pair \xed\xa0\x80, too large \xf5\x80\x80\x80, 4 bytes \xf0\x9f\x92\xa9".to_vec(),
        b"two\r\nlines\tand \"quotes\" \\n \x7f".to_vec(),
        "\u{feff}mark, \u{202e}right to left, \u{2028}a line separator, \u{fffe}\u{10ffff}".into(),
        deep,
        format!("{{{}}}", keys.join(",")).into_bytes(),
        b"{\"level\":".to_vec(),
        b"=\0=\"\xff\" =".to_vec(),
    ];
    for form in Form::ALL {
        let service = format!("odd-{}", form.word());
        let lines: Vec<Line> = (series.begin..)
            .zip(&bodies)
            .map(|(time, body)| Line::new(time, body.clone()).with("user", &b"a\0b \x1b[1m \xff"[..]))
            .collect();
        let answer = series.sender.lines(form, &series.usual, &encode::lines(form, &service, &lines)).await;
        answer.took_all_but(0, &[], form.word());
        series.keep_lines("usual", form, &service, &lines).await;
    }
}

/// The past has no limit; the future has one, and where that is lifted there is the last nanosecond of 64 bits.
pub(super) async fn times_of_1970_and_2262(series: &mut Series) {
    for form in Form::ALL {
        let service = format!("times-{}", form.word());
        // Of OTLP a time of zero is none.
        let lines = [Line::new(1, "of 1970"), Line::new(series.begin, "of now"), Line::new(YEAR_2262, "of 2262")];
        let body = encode::lines(form, &service, &lines);
        let answer = series.sender.lines(form, &series.usual, &body).await;
        answer.took_all_but(1, &["too far in the future", "future_limit", "of 2262"], form.word());
        series.keep_lines("usual", form, &service, &lines[..2]).await;

        let last = [&lines[..], &[Line::new(i64::MAX, "the last")]].concat();
        let answer = series.sender.lines(form, &series.future, &encode::lines(form, &service, &last)).await;
        answer.took_all_but(0, &[], form.word());
        series.keep_lines("future", form, &service, &last).await;
    }
    // Before 1970, which OTLP has no way to say.
    for form in [Form::LokiProtobuf, Form::LokiJson, Form::Bulk] {
        let service = format!("early-{}", form.word());
        let lines = [Line::new(i64::MIN + 1_000_000_000, "of 1677"), Line::new(-1, "of 1969"), Line::new(0, "of 1970")];
        let answer = series.sender.lines(form, &series.usual, &encode::lines(form, &service, &lines)).await;
        answer.took_all_but(0, &[], form.word());
        series.keep_lines("usual", form, &service, &lines).await;
    }
    // And what no number of 64 bits has.
    let late = [
        (
            Form::OtlpJson,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"9223372036854775808"}]}]}]}"#,
        ),
        (Form::LokiJson, r#"{"streams":[{"stream":{"a":"b"},"values":[["9223372036854775808","late"]]}]}"#),
        (Form::Bulk, "{\"create\":{}}\n{\"@timestamp\":\"2262-04-11T23:47:16.854775808Z\"}\n"),
    ];
    for (form, body) in late {
        let answer = series.sender.lines(form, &series.future, body.as_bytes()).await;
        answer.took_all_but(1, &[], form.word());
    }
}

/// The others are there, all of them, and the bad one is named.
pub(super) async fn one_bad_line_among_10_000(series: &mut Series) {
    const BAD: usize = 7654;
    for form in Form::ALL {
        let service = format!("many-{}", form.word());
        let line = |n: usize| Line::new(series.begin + n as i64, format!("line {n}")).with("n", n.to_string());
        let mut lines: Vec<Line> = (0..10_000).map(line).collect();
        lines[BAD] = lines[BAD].clone().with(&"k".repeat(1025), "x");
        let answer = series.sender.lines(form, &series.usual, &encode::lines(form, &service, &lines)).await;
        let name = match form {
            // An action and a document for each.
            Form::Bulk => format!("line {}", 2 * (BAD + 1)),
            _ => format!("line {BAD}"),
        };
        answer.took_all_but(1, &[&name, "1025 bytes", "1024 (label_name_length_limit)", "kkkk"], form.word());
        let of = format!("FROM logs WHERE cluster = 'usual' AND service = '{service}'");
        let whole =
            format!("SELECT count(*) AS n, count(DISTINCT body) AS bodies {of} AND body = 'line ' || attributes['n']");
        series.keep(whole, vec![json!({"n": 9_999, "bodies": 9_999})]).await;
        series.keep(format!("SELECT body {of} AND body = 'line {BAD}'"), Vec::new()).await;
    }
}

/// Where a body may be so long, a line that may not costs itself alone; where it may not, the request.
pub(super) async fn a_line_of_64_mib(series: &mut Series) {
    for form in Form::ALL {
        let service = format!("long-{}", form.word());
        let time = series.begin;
        let mut lines =
            [Line::new(time, "before"), Line::new(time + 1, vec![b'x'; 64 << 20]), Line::new(time + 2, "behind")];
        let body = encode::lines(form, &service, &lines);
        let answer = series.sender.lines(form, &series.usual, &body).await;
        answer.took_all_but(1, &["67108864 bytes", "1048576"], form.word());
        let answer = series.sender.lines(form, &series.narrow, &body).await;
        // Of gRPC the frame counts too.
        let (status, limit) = if form == Form::OtlpGrpc { (400, "1048581 bytes") } else { (413, "1048576 bytes") };
        answer.is_refused(status, &["body_size_limit", limit, "send it in parts"], form.word());
        lines.swap(1, 2);
        series.keep_lines("usual", form, &service, &lines[..2]).await;
    }
}

/// Attributes of one row.
pub(super) async fn a_million_keys(series: &mut Series) {
    let time = series.begin;
    let mut many = Line::new(time + 1, "many keys");
    many.attributes = (0..1_000_000).map(|key| (format!("k{key}"), b"v".to_vec())).collect();
    let lines = [Line::new(time, "before"), many, Line::new(time + 2, "behind")];
    let good = [lines[0].clone(), lines[2].clone()];
    for form in Form::ALL {
        let service = format!("keys-{}", form.word());
        let body = encode::lines(form, &service, &lines);
        let answer = series.sender.lines(form, &series.usual, &body).await;
        answer.took_all_but(1, &["more than 128 attributes", "attribute_limit"], form.word());
        series.keep_lines("usual", form, &service, &good).await;
    }
}

/// Values nested 100,000 deep.
pub(super) async fn values_within_values(series: &mut Series) {
    let time = series.begin;
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let lines = [Line::new(time, "before"), Line::new(time + 2, "behind")];

    let nested = encode::any_nested(100_000);
    for form in [Form::OtlpProtobuf, Form::OtlpGrpc] {
        let service = format!("deep-{}", form.word());
        let record = encode::record(&Line::new(time + 1, ""), &nested);
        let records = [
            encode::record(&lines[0], &encode::any_text(b"before")),
            record,
            encode::record(&lines[1], &encode::any_text(b"behind")),
        ];
        let answer = series.sender.lines(form, &series.usual, &encode::request(&service, records.into_iter())).await;
        answer.took_all_but(1, &["more than 16 deep"], form.word());
        series.keep_lines("usual", form, &service, &lines).await;
    }

    let service = "deep-bulk";
    let [before, behind] =
        [0, 1].map(|n| String::from_utf8(encode::lines(Form::Bulk, service, &lines[n..=n])).unwrap());
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let body = format!("{{\"create\":{{}}}}\n{{\"a\":{}}}\n", deep(open, close));
        let answer = series.sender.lines(Form::Bulk, &series.usual, body.as_bytes()).await;
        answer.took_all_but(1, &["line 2, column ", "nested more than 64 deep"], service);
    }
    let body = format!("{before}{{\"create\":{{}}}}\n{{\"a\":{}}}\n{behind}", deep("{\"a\":", "}"));
    let answer = series.sender.lines(Form::Bulk, &series.usual, body.as_bytes()).await;
    answer.took_all_but(1, &["line 4, column ", "nested more than 64 deep"], service);
    series.keep_lines("usual", Form::Bulk, service, &lines).await;

    // What is nested so deep is no request of these.
    let metadata = deep("{\"a\":", "}");
    let cases = [
        (
            Form::LokiJson,
            format!(r#"{{"streams":[{{"stream":{{"a":"b"}},"values":[["{time}","x",{metadata}]]}}]}}"#),
            "nested more than 64 deep",
        ),
        (Form::LokiJson, format!(r#"{{"more":{metadata},"streams":[]}}"#), "nested more than 64 deep"),
        (
            Form::OtlpJson,
            format!(
                r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{}}}]}}]}}]}}"#,
                deep("{\"arrayValue\":{\"values\":[", "]}}")
            ),
            "recursion limit",
        ),
    ];
    for (form, body, words) in cases {
        let answer = series.sender.lines(form, &series.usual, body.as_bytes()).await;
        answer.is_refused(400, &["line 1", "column ", words], form.word());
    }
}

/// Without its last newline, within a document, and behind an action.
pub(super) async fn bulk_bodies_that_end_early(series: &mut Series) {
    let lines: Vec<Line> = (0..3).map(|n| Line::new(series.begin + n, format!("line {n}"))).collect();
    let whole = |service: &str| encode::lines(Form::Bulk, service, &lines);
    let mut body = whole("end-newline");
    body.pop();
    series.sender.lines(Form::Bulk, &series.usual, &body).await.took_all_but(0, &[], "no newline");
    series.keep_lines("usual", Form::Bulk, "end-newline", &lines).await;

    let mut body = whole("end-document");
    body.truncate(body.len() - 10);
    let answer = series.sender.lines(Form::Bulk, &series.usual, &body).await;
    answer.took_all_but(1, &["line 6, column ", "got the end"], "half a document");
    series.keep_lines("usual", Form::Bulk, "end-document", &lines[..2]).await;

    let mut body = whole("end-action");
    body.extend(b"{\"create\":{}}\n");
    let answer = series.sender.lines(Form::Bulk, &series.usual, &body).await;
    answer.took_all_but(1, &["has no document", "the body ends"], "an action alone");
    series.keep_lines("usual", Form::Bulk, "end-action", &lines).await;
}

/// Bombs: little that becomes much.
pub(super) async fn bodies_that_grow(series: &mut Series) {
    // Members of gzip and frames of zstd one behind the other are one body: 1 GiB.
    let blanks = vec![b' '; 16 << 20];
    // Grows little enough for its size, and too large all the same.
    let noise = std::iter::successors(Some(1u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    let noise: Vec<u8> = noise.map(|n| (n >> 24) as u8).take(32 << 10).collect();
    let mixed = [&*noise, &vec![b' '; 1 << 20]].concat();
    for packing in [Packing::Gzip, Packing::Zstd] {
        let (bomb, large) = (packing.pack(&blanks).repeat(64), packing.pack(&mixed).repeat(3));
        for form in Form::ALL.into_iter().filter(|form| *form != Form::LokiProtobuf) {
            let what = format!("{} of {packing:?}", form.word());
            let status = if form == Form::OtlpGrpc { 400 } else { 413 };
            let all = [Signal::Logs, Signal::Traces];
            for signal in if Form::OTLP.contains(&form) { &all[..] } else { &all[..1] } {
                let answer = series.sender.send(form, *signal, &series.usual, packing, bomb.clone()).await;
                answer.is_refused(status, &["100 times", "send it in parts"], &what);
                let answer = series.sender.send(form, *signal, &series.narrow, packing, large.clone()).await;
                answer.is_refused(status, &["over 2097152 bytes", "decoded_size_limit", "send it in parts"], &what);
            }
        }
    }
    // Of snappy the growth is bounded, and the size is claimed.
    let form = Form::LokiProtobuf;
    let answer = series.sender.lines(form, &series.usual, &vec![b' '; 67 << 20]).await;
    answer.is_refused(413, &["claims", "decoded_size_limit", "send it in parts"], form.word());
}

/// A body of which the end is missing is refused whole.
pub(super) async fn bodies_that_are_cut(series: &mut Series) {
    for form in Form::ALL.into_iter().filter(|form| *form != Form::Bulk) {
        let service = format!("cut-{}", form.word());
        let lines: Vec<Line> = (0..100).map(|n| Line::new(series.begin + n, format!("line {n}"))).collect();
        let mut body = encode::lines(form, &service, &lines);
        body.truncate(body.len() - 5);
        series.sender.lines(form, &series.usual, &body).await.is_refused(400, &[], form.word());
        let packed = Packing::Gzip.pack(&encode::lines(form, &service, &lines));
        if form != Form::LokiProtobuf {
            let half = packed[..packed.len() / 2].to_vec();
            let answer = series.sender.send(form, Signal::Logs, &series.usual, Packing::Gzip, half).await;
            answer.is_refused(400, &["the gzip body is damaged at byte "], form.word());
        }
        series.keep_lines("usual", form, &service, &[]).await;
    }
}
