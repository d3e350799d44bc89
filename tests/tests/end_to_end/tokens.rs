//! The access token: fetched once, refreshed once, however many sends want it.

use jiff::SignedDuration;
use yingda_tests::backend::Backend;
use yingda_tests::bench::Bench;
use yingda_tests::platform::{Fault, Outcome};
use yingda_tests::server::Setup;
use yingda_tests::wait::until;

/// Fifty customers whose late answers go out at the same moment.
async fn fifty_sends(bench: &Bench, backend: &Backend, round: &str) {
    backend.set_open(false);
    let asked = backend.calls();
    let customers: Vec<String> = (0..50).map(|number| format!("o{round}{number}")).collect();
    let sent: Vec<_> = customers
        .iter()
        .map(|openid| bench.platform.say(bench.account(), openid, "查 表"))
        .collect();
    for said in futures::future::join_all(sent).await {
        assert_eq!(said.outcome, Outcome::Acknowledged);
    }
    until("all calls are under way", || backend.calls() == asked + 50).await;
    backend.set_open(true);
    for openid in &customers {
        assert_eq!(bench.sees(openid, 1).await, ["答：查 表"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_parallel_sends_share_one_fetch_and_one_refresh_for_each_way_a_token_dies() {
    let backend = Backend::start(false).await;
    let setup = Setup::new("试验台")
        .backend(backend.url())
        .limit("callback_deadline_ms", 300);
    let bench = Bench::start(setup).await;
    let fetches = || bench.platform.token_fetches(bench.account());
    fifty_sends(&bench, &backend, "first").await;
    assert_eq!(fetches(), 1, "one fetch for the first fifty");
    // 40001: somebody forced another token.
    bench.platform.revoke_token(bench.account());
    fifty_sends(&bench, &backend, "revoked").await;
    assert_eq!(fetches(), 2, "one refresh after 40001");
    // 42001: by the platform's clock the token has expired; the server's own clock does not know.
    bench
        .platform
        .clock()
        .advance(SignedDuration::from_hours(3));
    fifty_sends(&bench, &backend, "expired").await;
    assert_eq!(fetches(), 3, "one refresh after 42001");
    // 40014, and a token request that fails for a moment.
    bench
        .platform
        .fail_next(bench.account(), Fault::Code(40014), 1);
    bench
        .platform
        .fail_next_token(bench.account(), Fault::Status(502), 1);
    fifty_sends(&bench, &backend, "invalid").await;
    assert!(
        (4..=6).contains(&fetches()),
        "{} fetches after 40014",
        fetches()
    );
    assert!(
        !bench.server().log().contains("secret-of-shop"),
        "the log holds no secret"
    );
}
