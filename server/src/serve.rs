//! Starting, running and stopping the server.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use rustc_hash::FxHashMap;
use tokio::net::TcpListener;
use yingda_dsl::diagnostic::{Diagnostic, Lang};
use yingda_dsl::source::PackageFiles;
use yingda_models::Understander;

use crate::account::{Account, AccountError};
use crate::admin_token::{AdminTokens, TokenFileError};
use crate::clock::SystemClock;
use crate::config::{Config, ConfigError};
use crate::connector::Connectors;
use crate::http::{HttpState, listen, router};
use crate::outbox::Sender;
use crate::package::{self, PackageError, ReadError, Registry};
use crate::store::{SqliteStore, Store, StoreError};
use crate::turn::{Dispatcher, DispatcherParts};
use crate::webhook::Webhooks;

/// How often queue limits, idle conversations and dead calls are looked for.
const TIMER_TICK: Duration = Duration::from_millis(500);
/// How often queues are counted.
const SERVICE_TICK: Duration = Duration::from_secs(1);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{file}: {error}", file = file.display())]
    Store { file: PathBuf, error: StoreError },
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the package of account {account} does not pass the check")]
    Refused {
        account: String,
        diagnostics: Vec<Diagnostic>,
        files: Box<PackageFiles>,
    },
    #[error(transparent)]
    Package(PackageError),
    #[error("cannot listen on {listen}: {cause}")]
    Listen {
        listen: String,
        cause: std::io::Error,
    },
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    TokenFile(#[from] TokenFileError),
    #[error("{0}")]
    Connector(String),
    #[error("the packaged models cannot be loaded: {0}")]
    Models(String),
    #[error("{0}")]
    Runtime(String),
}

impl StartError {
    /// The sentence for people; diagnostics of a refused package are rendered apart.
    pub fn sentence(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.to_string();
        }
        match self {
            Self::Config(error) => error.sentence(lang),
            Self::Store { file, error } => store_sentence(file, error),
            Self::Read(error) => error.sentence(lang),
            Self::Refused { account, .. } => {
                format!(
                    "公众号「{account}」的规则包没有通过检查，服务没有启动。请按上面的提示改好再启动。"
                )
            }
            Self::Package(error) => format!("规则包不能用：{error}"),
            Self::Listen { listen, cause } if cause.kind() == std::io::ErrorKind::AddrInUse => {
                format!(
                    "端口 {listen} 已被别的程序占用。请先停掉它，或把配置里的 listen 换一个端口。"
                )
            }
            Self::Listen { listen, cause }
                if cause.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                format!(
                    "没有权限监听 {listen}：1024 以下的端口要管理员权限，请换一个端口，前面用反向代理。"
                )
            }
            Self::Listen { listen, cause } => {
                format!("不能监听 {listen}：{cause}。请检查配置里的 listen。")
            }
            Self::Account(error) => format!("公众号配置有误：{error}"),
            Self::TokenFile(error) => {
                format!(
                    "写不了管理令牌文件 {}：{}。请检查文件夹权限。",
                    error.file.display(),
                    error.cause
                )
            }
            Self::Connector(cause) => cause.clone(),
            Self::Models(cause) => {
                format!("内置模型读不出来：{cause}。程序文件可能损坏，请重新安装。")
            }
            Self::Runtime(cause) => format!("服务不能启动：{cause}"),
        }
    }
}

/// What a store error means to people.
pub fn store_sentence(file: &std::path::Path, error: &StoreError) -> String {
    let file = file.display();
    match error {
        StoreError::Locked => {
            format!(
                "数据库 {file} 正被另一个程序使用。请先停掉另一个 yingda serve，或在配置里换一个 data。"
            )
        }
        StoreError::DiskFull => format!("磁盘满了，数据库 {file} 写不进去。请清出空间。"),
        StoreError::ReadOnly(cause) => {
            format!("数据库 {file} 不能写：{cause}。请检查文件和文件夹的权限。")
        }
        StoreError::Corrupt(cause) => {
            format!(
                "数据库 {file} 读不了：{cause}。如果这不是应答的数据库，请在配置里换一个 data；否则请从备份恢复。"
            )
        }
        StoreError::NotADatabase(_) => {
            format!("{file} 不是应答的数据库。请在配置里换一个 data。")
        }
        StoreError::Missing(_) => {
            format!("还没有数据库 {file}：先运行一次 yingda serve，或用 --config 指明配置文件。")
        }
        StoreError::OlderSchema { .. } => {
            format!("数据库 {file} 的格式比这个程序旧：用这个程序运行一次 yingda serve 就会升级。")
        }
        StoreError::NewerSchema { .. } => {
            format!("数据库 {file} 的格式比这个程序新：请换成较新的 yingda。")
        }
        StoreError::UnknownPackage(version) => {
            format!("数据库 {file} 里没有保存规则版本 {version}。")
        }
        StoreError::Closed => format!("数据库 {file} 已经关闭。"),
        StoreError::Database(cause) => format!("数据库 {file} 出错：{cause}。"),
    }
}

/// A server that listens, until it is told to stop.
pub struct Server {
    listener: TcpListener,
    dispatcher: Arc<Dispatcher>,
    state: HttpState,
    store: Arc<dyn Store>,
    concurrent: usize,
    drain: Duration,
    /// Warnings of the packages, by account.
    pub warnings: Vec<(String, Vec<Diagnostic>, PackageFiles)>,
}

impl Server {
    /// Open, load, check, recover and listen.
    pub async fn start(config: &Config) -> Result<Server, StartError> {
        // A provider may be installed already (tests start several servers in one process).
        let _ = rustls::crypto::ring::default_provider().install_default();
        let metrics = prometheus()?;
        let clock: Arc<dyn crate::clock::Clock> = Arc::new(SystemClock);
        let listener =
            TcpListener::bind(&config.listen)
                .await
                .map_err(|cause| StartError::Listen {
                    listen: config.listen.clone(),
                    cause,
                })?;
        let data = config.data_path();
        let store: Arc<dyn Store> = Arc::new(
            SqliteStore::open(&data, Default::default())
                .await
                .map_err(|error| StartError::Store {
                    file: data.clone(),
                    error,
                })?,
        );
        let variable = |name: &str| std::env::var(name).ok();
        let tokens = AdminTokens::load(config, variable(crate::admin_token::VARIABLE))?;
        let understander = Arc::new(
            Understander::packaged().map_err(|error| StartError::Models(error.to_string()))?,
        );
        let mut accounts: FxHashMap<String, Arc<Account>> = FxHashMap::default();
        for account in &config.accounts {
            let built = Account::new(account, config.limits.timestamp_skew_s)?;
            accounts.insert(account.id.clone(), Arc::new(built));
        }
        let connectors = Connectors::new(&config.connectors, clock.clone(), variable)
            .map_err(|error| StartError::Connector(error.to_string()))?;
        let webhooks = Webhooks::new(&config.webhooks, variable)
            .map_err(|error| StartError::Connector(error.to_string()))?;
        let mut catalogue = yingda_engine::standard_catalogue();
        catalogue.bound_connectors = Some(
            config
                .connectors
                .iter()
                .map(|connector| connector.name.clone())
                .collect(),
        );
        let models = understander.fingerprint().to_string();
        let ids = accounts.keys().cloned().collect::<Vec<_>>();
        let registry = Arc::new(Registry::new(
            store.clone(),
            understander,
            catalogue,
            ids.into_iter(),
        ));
        let mut warnings = Vec::new();
        for account in &config.accounts {
            let found = load_package(
                config,
                &account.id,
                &account.package,
                &registry,
                &store,
                &*clock,
            )
            .await?;
            if let Some((diagnostics, files)) = found {
                warnings.push((account.id.clone(), diagnostics, files));
            }
        }
        let dispatcher = Dispatcher::new(DispatcherParts {
            store: store.clone(),
            clock,
            registry,
            connectors: Arc::new(connectors),
            webhooks: Arc::new(webhooks),
            accounts,
            models,
        });
        let failed = |error| StartError::Store {
            file: data.clone(),
            error,
        };
        dispatcher.refresh_service().await.map_err(failed)?;
        let recovered = dispatcher.recover().await.map_err(failed)?;
        if recovered > 0 {
            tracing::info!(
                recovered,
                "callbacks kept before the last stop are taken up"
            );
        }
        let state = HttpState {
            dispatcher: dispatcher.clone(),
            tokens: Arc::new(tokens),
            metrics,
            deadline: Duration::from_millis(config.limits.callback_deadline_ms),
            stopping: Arc::new(AtomicBool::new(false)),
        };
        Ok(Server {
            listener,
            dispatcher,
            state,
            store,
            concurrent: config.limits.concurrent_requests,
            drain: Duration::from_millis(config.limits.drain_ms),
            warnings,
        })
    }

    /// Address it listens on.
    pub fn address(&self) -> std::io::Result<std::net::SocketAddr> {
        self.listener.local_addr()
    }

    pub fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.dispatcher
    }

    /// Serve until `stop` is ready; then finish what is in flight and close the store.
    pub async fn run(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let jobs = vec![
            tokio::spawn(timers(self.dispatcher.clone())),
            tokio::spawn(service_figures(self.dispatcher.clone())),
            tokio::spawn(Sender::new(self.dispatcher.clone()).run()),
        ];
        let app = router(self.state.clone(), self.concurrent);
        let stopping = self.state.stopping.clone();
        let stop = async move {
            stop.await;
            stopping.store(true, Ordering::Relaxed);
        };
        let drain = self.drain;
        if !listen(self.listener, app, stop, drain).await {
            tracing::warn!("connections were still open at the end of the drain time");
        }
        if tokio::time::timeout(drain, self.dispatcher.idle())
            .await
            .is_err()
        {
            tracing::warn!(
                "turns were still at work at the end of the drain time; they are taken up at the next start"
            );
        }
        for job in jobs {
            job.abort();
        }
        self.store.close().await;
        Ok(())
    }
}

/// Publish the account's folder when it changed since it was last published; else run what ran before.
async fn load_package(
    config: &Config,
    account: &str,
    folder: &str,
    registry: &Registry,
    store: &Arc<dyn Store>,
    clock: &dyn crate::clock::Clock,
) -> Result<Option<(Vec<Diagnostic>, PackageFiles)>, StartError> {
    let path = PathBuf::from(folder);
    let path = if folder.starts_with("builtin:") {
        path
    } else {
        config.resolve(&path)
    };
    let files = tokio::task::spawn_blocking(move || package::read(&path))
        .await
        .map_err(|error| StartError::Runtime(error.to_string()))??;
    let failed = |error| StartError::Store {
        file: config.data_path(),
        error,
    };
    let history = store.publications(account, 200).await.map_err(failed)?;
    let version = files.content_hash();
    let from_folder = history
        .iter()
        .find(|publication| publication.source == "folder");
    if let (Some(last), Some(current)) = (from_folder, history.first())
        && last.version == version
        && current.version != version
    {
        match registry.resume(account, &current.version).await {
            Ok(_) => return Ok(None),
            Err(error) => {
                tracing::warn!(account, %error, "the version published last cannot run; the folder's runs")
            }
        }
    }
    if history
        .first()
        .is_some_and(|current| current.version == version)
        && registry.resume(account, &version).await.is_ok()
    {
        return Ok(None);
    }
    match registry
        .publish(account, files.clone(), "startup", "folder", clock.now())
        .await
    {
        Ok((_, warnings)) => Ok(Some((warnings, files))),
        Err(PackageError::Refused { diagnostics, files }) => Err(StartError::Refused {
            account: account.to_string(),
            diagnostics,
            files,
        }),
        Err(PackageError::Store(error)) => Err(failed(error)),
        Err(error) => Err(StartError::Package(error)),
    }
}

async fn timers(dispatcher: Arc<Dispatcher>) {
    let mut tick = tokio::time::interval(TIMER_TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = dispatcher.wake_due(500).await {
            tracing::error!(%error, "timers could not be looked up");
        }
    }
}

async fn service_figures(dispatcher: Arc<Dispatcher>) {
    let mut tick = tokio::time::interval(SERVICE_TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = dispatcher.refresh_service().await {
            tracing::error!(%error, "queues could not be counted");
        }
    }
}

/// One recorder a process; later servers of the same process share it.
fn prometheus() -> Result<metrics_exporter_prometheus::PrometheusHandle, StartError> {
    static HANDLE: std::sync::OnceLock<metrics_exporter_prometheus::PrometheusHandle> =
        std::sync::OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let buckets = [
        0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
        0.1, 0.5, 1.0, 2.5, 5.0,
    ];
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &buckets)
        .map_err(|error| StartError::Runtime(error.to_string()))?;
    let handle = builder
        .install_recorder()
        .map_err(|error| StartError::Runtime(error.to_string()))?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}
