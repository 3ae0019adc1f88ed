use super::*;

fn join(arguments: &[&str]) -> Result<Join, clap::Error> {
    use clap::Parser;
    let given = ["fleetscope", "join", "--prometheus", "http://a", "http://b"];
    let cli = crate::cli::Cli::try_parse_from(given.iter().chain(arguments))?;
    let crate::cli::Command::Join(join) = cli.command else { panic!("{cli:?}") };
    Ok(join)
}

#[test]
fn credentials_come_together_and_only_one_kind_of_them() {
    assert_eq!(join(&["--prometheus", "http://c"]).unwrap().prometheus, ["http://a", "http://b", "http://c"]);
    for wrong in [
        &["--username", "u"][..],
        &["--password-file", "p"],
        &["--bearer-token-file", "t", "--username", "u", "--password-file", "p"],
        &["--timeout", "soon"],
    ] {
        assert!(join(wrong).is_err(), "{wrong:?}");
    }
    let access = Access::new(&join(&["--username", "u", "--password-file", "p"]).unwrap()).unwrap();
    assert!(access.basic_auth.is_some_and(|basic| basic.password_file.is_absolute()));
    for username in ["", "a:b"] {
        assert!(Access::new(&join(&["--username", username, "--password-file", "p"]).unwrap()).is_err());
    }
    let access = Access::new(&join(&["--bearer-token-file", "t"]).unwrap()).unwrap();
    assert!(access.authorization.is_some_and(|authorization| authorization.credentials_file.is_absolute()));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let bearer = |file| Access { authorization: Some(Authorization::bearer(file)), ..Access::default() };
    let cases = [
        (bearer(folder.path().join("nowhere")), "nowhere cannot be read"),
        (bearer(file("empty", b" \n")), "empty is empty"),
        (bearer(file("binary", b"\xff\xfe")), "binary is not UTF-8"),
        (bearer(file("lines", b"a\nb")), "no header can carry"),
        (bearer(file("large", &vec![b'x'; 5 << 20])), "larger than any"),
        (Access { ca_file: Some(file("ca", b"no certificate")), ..Access::default() }, "ca holds no certificate"),
    ];
    for (access, expected) in cases {
        let error = Client::new(&access, Duration::from_secs(1)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(Client::new(&Access::default(), Duration::ZERO).is_err());
    assert!(Client::new(&bearer(file("token", b"abc\n")), Duration::from_secs(1)).is_ok());
}

#[test]
fn a_path_is_put_below_that_of_the_server() {
    for (server, expected) in [("http://a:1", "http://a:1/api/x"), ("http://a/b%20c/", "http://a/b%20c/api/x")] {
        assert_eq!(place(&Url::parse(server).unwrap(), "/api/x").as_str(), expected);
    }
}
