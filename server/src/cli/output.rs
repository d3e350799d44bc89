//! Lines to the terminal. A closed pipe (`yingda … | head`) ends the command quietly.

use std::io::Write;

use super::Exit;

/// Print a line to standard output; false when nobody reads any more.
pub fn line(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
        .is_ok()
}

/// Say what went wrong and end with `exit`.
pub fn fail(exit: Exit, sentence: &str) -> Exit {
    eprintln!("{sentence}");
    exit
}

/// A runtime for commands that talk over the network or to the database.
pub fn block_on<F: Future<Output = Exit>>(future: F) -> Exit {
    match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => fail(Exit::Environment, &format!("程序不能启动：{error}")),
    }
}
