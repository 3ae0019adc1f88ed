use super::*;

#[test]
fn a_url_that_cannot_stand_in_the_configuration_is_refused_before_anyone_is_asked() {
    let cases = [
        ("prometheus:9090", "is not a URL like http://prometheus:9090"),
        ("127.0.0.1", "is not a URL like"),
        ("ftp://host", "is not a URL like"),
        ("http://", "is not a URL like"),
        ("http://user:secret@host", "use --username and --password-file"),
        ("http://host/graph?g0.expr=up", "holds parameters"),
        ("http://host/#alerts", "holds parameters"),
    ];
    for (text, expected) in cases {
        let error = server(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        assert!(error.to_string().contains(expected) && !error.to_string().contains("secret"), "{text}: {error}");
    }
}

#[test]
fn a_url_is_asked_once_however_it_is_written() {
    let given = ["http://Host:80/", "http://host", "https://host/prometheus/", "https://host/prometheus"];
    let shown: Vec<String> = servers(&given.map(str::to_owned)).unwrap().iter().map(shown).collect();
    assert_eq!(shown, ["http://host", "https://host/prometheus"]);
}
