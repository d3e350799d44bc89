//! A disk without room: no acknowledgement without a row, and all is well once there is room again.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;
use yingda_tests::bench::Bench;
use yingda_tests::database::Database;
use yingda_tests::platform::{Outcome, Patience};
use yingda_tests::server::{Server, Setup, command};
use yingda_tests::wait::eventually;

/// A shell in a mount namespace of its own; the way that this machine allows, if any.
async fn namespace() -> Option<&'static [&'static str]> {
    for flags in [&["-m"] as &[_], &["-r", "-m"]] {
        let tried = Command::new("unshare")
            .args(flags)
            .args([
                "sh",
                "-c",
                "d=$(mktemp -d) && mount -t tmpfs -o size=64k tmpfs $d",
            ])
            .stderr(Stdio::null())
            .status()
            .await;
        if tried.is_ok_and(|status| status.success()) {
            return Some(flags);
        }
    }
    None
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_without_a_row_and_the_server_recovers_by_itself() {
    let flags = namespace().await.expect(
        "this test needs `unshare` and the right to mount a tmpfs, as root or in a user namespace; \
         where that cannot be, run the others with --skip disk_full: the store's own test of a full disk \
         (server/src/store/sqlite/tests/faults.rs) covers the store without it",
    );
    let mut bench = Bench::prepare(Setup::new("试验台")).await;
    let disk = bench.folder().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let toml = std::fs::read_to_string(bench.folder().join("yingda.toml")).unwrap();
    let toml = toml.replace("yingda.db", "disk/yingda.db");
    std::fs::write(bench.folder().join("yingda.toml"), toml).unwrap();
    let plain = command(bench.folder(), &["serve"]);
    let mut inside = command(bench.folder(), &[]);
    let program = plain.as_std().get_program().to_owned();
    inside = {
        let mut shell = Command::new("unshare");
        for (name, value) in inside.as_std().get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell
            .current_dir(bench.folder())
            .args(flags)
            .args([
                "sh",
                "-c",
                "mount -t tmpfs -o size=4m tmpfs disk && exec \"$0\" serve",
            ])
            .arg(program);
        shell
    };
    let server = Server::spawn(inside, bench.folder())
        .await
        .unwrap_or_else(|(_, said)| panic!("{said}"));
    let seen_from_here = PathBuf::from(format!("/proc/{}/root{}", server.pid(), disk.display()));
    bench.adopt(server);
    assert_eq!(bench.say("o1", "先前").await, "收到：先前");

    let filler = seen_from_here.join("filler");
    let once = Patience {
        attempts: 1,
        ..Patience::default()
    };
    let mut answered = 1;
    let mut refused = Vec::new();
    for number in 0..2000 {
        // Whatever room a checkpoint frees is taken at once.
        fill(&filler);
        let push = bench
            .platform
            .text(bench.account(), "o1", &format!("第{number}句"));
        let delivery = bench.platform.deliver(bench.account(), &push, once).await;
        match &delivery.outcome {
            Outcome::Reply(_) => answered += 1,
            Outcome::Failed(_) => refused.push((number, push)),
            other => panic!("{other:?}: an acknowledgement without a reply"),
        }
        if refused.len() == 5 {
            break;
        }
    }
    assert_eq!(refused.len(), 5, "the disk never was full");
    let (ready, why) = bench.server().get("/readyz").await;
    assert_eq!(ready, 503, "{why}");
    std::fs::remove_file(&filler).unwrap();
    eventually("readiness", || async {
        (bench.server().get("/readyz").await.0 == 200).then_some(())
    })
    .await;
    for (number, push) in &refused {
        assert_eq!(
            bench.deliver(push).await.text(),
            format!("收到：第{number}句")
        );
    }
    answered += refused.len() as i64;
    // SQLite opens nothing through another process's root; nobody writes now, so a copy will do.
    let copy = bench.folder().join("copy.db");
    for ending in ["", "-wal"] {
        let name = format!("yingda.db{ending}");
        std::fs::copy(
            seen_from_here.join(name),
            format!("{}{ending}", copy.display()),
        )
        .unwrap();
    }
    let database = Database::open(&copy).await;
    assert_eq!(
        (database.inbox().await, database.turns().await),
        (answered, answered)
    );
    assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    assert!(!bench.server().log().contains("panicked"));
}

fn fill(file: &std::path::Path) {
    use std::io::Write;
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file);
    let mut file = opened.unwrap();
    for block in [64 * 1024, 4096, 512, 1] {
        while file.write_all(&vec![0; block]).is_ok() {}
    }
}
