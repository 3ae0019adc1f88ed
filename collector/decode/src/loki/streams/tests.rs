use model::ErrorKind;

use super::*;

const NOW: i64 = 1_700_000_000_000_000_000;
const ARRIVAL: Arrival = Arrival { unix_nano: NOW, latest_unix_nano: NOW + 600_000_000_000 };

fn read(body: &str) -> Result<DecodedLines, Error> {
    decode(body.as_bytes(), ARRIVAL, &Limits::default())
}

const ANSWER: &str = r#"{"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],
    "result":[{"stream":{"app":"shop","service_name":"kept"},"values":[
    ["1700000000000000000","[error]",{"structuredMetadata":{"detected_level":"info","trace_id":"0123456789abcdef0123456789abcdef"},"parsed":{"code":"7"}}],
    ["1700000000000000001","[error]"],["1700000000000000002","x",{}]]}],"stats":{"a":[1,{}]}}}"#;

#[test]
fn an_answer_has_the_rows_that_were_pushed() {
    let DecodedLines { logs, refused } = read(ANSWER).unwrap();
    assert!(refused.is_empty() && logs.len() == 3);
    let resource = logs.resources.get(logs.resource[0]).unwrap();
    assert_eq!((&*resource.service, resource.attributes.get("app")), ("kept", Some("shop")));
    assert_eq!(logs.attributes.row(0).collect::<Vec<_>>(), [("detected_level", "info"), ("code", "7")]);
    assert_eq!(logs.attributes.row(1).collect::<Vec<_>>(), [("detected_level", "error")]);
    assert_eq!((logs.row(0).severity_number, logs.row(0).trace_id[0]), (9, 1));
}

#[test]
fn what_was_derived_and_stands_among_labels_is_not_derived_again() {
    let body = r#"{"data":{"result":[{"stream":{"app":"shop","detected_level":"debug"},"values":[["1","[error]"]]}],"resultType":"streams"}}"#;
    let logs = read(body).unwrap().logs;
    assert_eq!(logs.attributes.row(0).collect::<Vec<_>>(), [("detected_level", "debug")]);
    assert_eq!(logs.row(0).severity_number, 5);
    assert_eq!(logs.resources.get(0).unwrap().attributes.get("detected_level"), None);
}

#[test]
fn answers_of_another_kind_are_told() {
    for (body, what) in [
        ("{}", "no field \"data\""),
        (r#"{"status":"error","error":"too many \"outstanding\" requests"}"#, "the answer tells of an error"),
        (r#"{"data":{"resultType":"matrix","result":[]}}"#, "results of type \"matrix\", not streams"),
        (r#"{"data":{"result":[]}}"#, "does not say the type"),
        (r#"{"data":{"resultType":"streams","result":{}}}"#, "expected an array"),
    ] {
        let error = read(body).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.message().contains(what), "{error}");
    }
    assert!(read(r#"{"data":{"resultType":"streams"}}"#).unwrap().logs.is_empty());
}

#[test]
fn every_truncation_is_an_error() {
    for end in 0..ANSWER.len() {
        assert_eq!(read(&ANSWER[..end]).unwrap_err().kind(), ErrorKind::Invalid, "{end}");
    }
}
