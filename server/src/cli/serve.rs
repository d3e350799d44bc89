//! `yingda serve`.

use yingda_dsl::diagnostic::Lang;

use super::Exit;
use super::arguments::ServeOptions;
use super::output::{block_on, fail};
use super::{logging, package_file};
use crate::config::Config;
use crate::serve::{Server, StartError};

/// Run the server until SIGTERM or Ctrl-C.
pub fn run(options: &ServeOptions, lang: Lang) -> Exit {
    let config = match Config::load(options.config.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return fail(Exit::Environment, &error.sentence(lang)),
    };
    logging::start(&config.log);
    block_on(async move {
        let server = match Server::start(&config).await {
            Ok(server) => server,
            Err(error) => {
                if let StartError::Refused {
                    diagnostics, files, ..
                } = &error
                {
                    eprint!("{}", package_file::render(diagnostics, files, lang));
                }
                let exit = match error {
                    StartError::Refused { .. } | StartError::Package(_) => Exit::Problem,
                    _ => Exit::Environment,
                };
                return fail(exit, &error.sentence(lang));
            }
        };
        for (account, diagnostics, files) in &server.warnings {
            if !diagnostics.is_empty() {
                tracing::warn!(
                    account,
                    warnings = diagnostics.len(),
                    "the package has warnings: yingda check shows them"
                );
            }
            let _ = files;
        }
        announce(&config, &server);
        match server.run(stop_signal()).await {
            Ok(()) => {
                eprintln!("已停止。");
                Exit::Done
            }
            Err(error) => fail(Exit::Environment, &error.sentence(lang)),
        }
    })
}

fn announce(config: &Config, server: &Server) {
    let address = server
        .address()
        .map_or_else(|_| config.listen.clone(), |address| address.to_string());
    eprintln!("应答已启动：http://{address}");
    match &config.file {
        Some(file) => eprintln!(
            "  配置 {}，数据库 {}",
            file.display(),
            config.data_path().display()
        ),
        None => eprintln!(
            "  内置演示（没有 yingda.toml），数据库 {}",
            config.data_path().display()
        ),
    }
    for account in &config.accounts {
        let version = server.dispatcher().registry().current(&account.id);
        let version = version.map_or_else(String::new, |loaded| {
            loaded.version().chars().take(8).collect()
        });
        eprintln!(
            "  公众号 {}：回调网址 http://{address}/wechat/{}，规则版本 {version}",
            account.id, account.id
        );
    }
    eprintln!(
        "  试一试：yingda send \"我的快递到哪了\"    管理接口说明：http://{address}/api/openapi.json"
    );
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            },
            Err(_) => drop(tokio::signal::ctrl_c().await),
        }
    }
    #[cfg(not(unix))]
    drop(tokio::signal::ctrl_c().await);
    eprintln!("正在停止：先把手上的消息处理完……");
}
