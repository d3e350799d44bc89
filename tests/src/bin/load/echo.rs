//! The yardstick: axum answering a POST with its own body.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;

/// Serve on a free port, printed as the first line, until killed.
pub fn serve() {
    let served = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .and_then(|runtime| {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                println!("{}", listener.local_addr()?.port());
                let app = Router::new().route("/", post(|body: Bytes| async move { body }));
                axum::serve(listener, app).await
            })
        });
    if let Err(error) = served {
        eprintln!("echo: {error}");
        std::process::exit(1);
    }
}
