//! What can be typed. Doc comments are the help that people read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use yingda_dsl::diagnostic::Lang;

const HELP: &str = "{about}\n\n用法：{usage}\n\n{all-args}{after-help}";

/// 应答（Yingda）：微信客服引擎。规则写得清楚，回答说得出为什么，转人工不丢一句话。
#[derive(Debug, Parser)]
#[command(
    name = "yingda",
    version,
    help_template = HELP,
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "命令",
    next_help_heading = "选项",
    after_help = "\n退出码：0 完成；1 发现问题；2 用法不对；3 环境有问题（文件、端口、数据库、网络）。"
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// 提示信息的语言
    #[arg(long, global = true, value_enum, default_value_t = LangArgument::Zh, hide_default_value = true, hide_possible_values = true, value_name = "zh|en")]
    pub lang: LangArgument,
    /// 显示帮助
    #[arg(short = 'h', long = "help", global = true, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// 显示版本
    #[arg(short = 'V', long = "version", action = clap::ArgAction::Version)]
    version: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LangArgument {
    Zh,
    En,
}

impl From<LangArgument> for Lang {
    fn from(lang: LangArgument) -> Self {
        match lang {
            LangArgument::Zh => Lang::Zh,
            LangArgument::En => Lang::En,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// 启动服务，接收微信回调
    #[command(help_template = HELP)]
    Serve(ServeOptions),
    /// 检查规则包
    #[command(help_template = HELP)]
    Check(CheckOptions),
    /// 运行规则包里的测试
    #[command(help_template = HELP)]
    Test(TestOptions),
    /// 新建一个起步用的规则包
    #[command(help_template = HELP)]
    New(NewOptions),
    /// 在终端里和机器人对话
    #[command(help_template = HELP)]
    Chat(ChatOptions),
    /// 说明一句话为什么得到这样的回答
    #[command(help_template = HELP)]
    Explain(ExplainOptions),
    /// 逐行读入文本，输出机器对它的理解（JSON）
    #[command(help_template = HELP)]
    Understand,
    /// 像微信一样给正在运行的服务发一条消息
    #[command(help_template = HELP)]
    Send(SendOptions),
    /// 把规则包发布到正在运行的服务
    #[command(help_template = HELP)]
    Publish(PublishOptions),
    /// 退回上一个（或指定的）规则版本
    #[command(help_template = HELP)]
    Rollback(RollbackOptions),
    /// 审计日志：校验、查看、导出、重放
    #[command(help_template = HELP)]
    Audit(AuditOptions),
    /// 检查配置和环境，用一句句话说出毛病
    #[command(help_template = HELP)]
    Doctor(ConfigOption),
}

#[derive(Debug, Clone, Args)]
pub struct ConfigOption {
    /// 配置文件；不写时用当前目录的 yingda.toml，没有则用内置演示
    #[arg(long, value_name = "文件")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ServeOptions {
    #[command(flatten)]
    pub config: ConfigOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub struct CheckOptions {
    /// 规则包文件夹
    #[arg(value_name = "规则包")]
    pub package: PathBuf,
    /// 输出格式：human 给人看，json 给程序用
    #[arg(long, value_enum, default_value_t = Format::Human, hide_default_value = true, hide_possible_values = true, value_name = "human|json")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct TestOptions {
    /// 规则包文件夹
    #[arg(value_name = "规则包")]
    pub package: PathBuf,
    /// 输出格式：human 给人看，json 给程序用
    #[arg(long, value_enum, default_value_t = Format::Human, hide_default_value = true, hide_possible_values = true, value_name = "human|json")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct NewOptions {
    /// 新规则包的文件夹
    #[arg(value_name = "文件夹")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct ChatOptions {
    /// 规则包文件夹
    #[arg(value_name = "规则包")]
    pub package: PathBuf,
    /// 每行读入一个 JSON 对象，每行输出一个 JSON 对象
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ExplainOptions {
    /// 规则包文件夹
    #[arg(value_name = "规则包")]
    pub package: PathBuf,
    /// 客户说的话
    #[arg(value_name = "文本")]
    pub text: String,
    /// 只说明这条规则为什么不中
    #[arg(long, value_name = "规则名")]
    pub why_not: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SendMode {
    Plain,
    Compat,
    Safe,
}

#[derive(Debug, Args)]
pub struct SendOptions {
    /// 要发的文字
    #[arg(value_name = "文本")]
    pub text: String,
    #[command(flatten)]
    pub config: ConfigOption,
    /// 哪个公众号；不写时用配置里的第一个
    #[arg(long, value_name = "id")]
    pub account: Option<String>,
    /// 回调网址；不写时按配置里的 listen 和公众号 id 推出
    #[arg(long, value_name = "网址")]
    pub url: Option<String>,
    /// 加密方式；不写时按配置
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_name = "plain|compat|safe"
    )]
    pub mode: Option<SendMode>,
    /// 用 JSON 格式发（默认 XML）
    #[arg(long)]
    pub json: bool,
    /// 客户的 openid
    #[arg(
        long,
        value_name = "openid",
        default_value = "oYingdaSendDemo",
        hide_default_value = true
    )]
    pub customer: String,
    /// 消息编号；重复同一个编号就是微信的重试
    #[arg(long, value_name = "MsgId")]
    pub msg_id: Option<u64>,
    /// 消息时间，秒；与 --msg-id 一起重复才算同一条
    #[arg(long, value_name = "秒")]
    pub create_time: Option<i64>,
}

#[derive(Debug, Clone, Args)]
pub struct ServerOption {
    /// 服务地址；不写时按配置里的 listen
    #[arg(long, value_name = "网址")]
    pub url: Option<String>,
    /// 哪个公众号；不写时用配置里的第一个
    #[arg(long, value_name = "id")]
    pub account: Option<String>,
}

#[derive(Debug, Args)]
pub struct PublishOptions {
    /// 规则包文件夹
    #[arg(value_name = "规则包")]
    pub package: PathBuf,
    #[command(flatten)]
    pub config: ConfigOption,
    #[command(flatten)]
    pub server: ServerOption,
}

#[derive(Debug, Args)]
pub struct RollbackOptions {
    /// 退回到这个版本；不写时退回上一个
    #[arg(long, value_name = "版本")]
    pub version: Option<String>,
    #[command(flatten)]
    pub config: ConfigOption,
    #[command(flatten)]
    pub server: ServerOption,
}

#[derive(Debug, Args)]
#[command(subcommand_help_heading = "命令")]
pub struct AuditOptions {
    #[command(subcommand)]
    pub command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// 校验审计链，指出第一处被改、被删或被调换的记录
    #[command(help_template = HELP)]
    Verify(ConfigOption),
    /// 列出一个会话里发生了什么、为什么
    #[command(help_template = HELP)]
    Show(AuditShowOptions),
    /// 导出审计记录，每行一个 JSON 对象
    #[command(help_template = HELP)]
    Export(AuditExportOptions),
    /// 用审计记录重放会话里的每一步，核对结果是否一致
    #[command(help_template = HELP)]
    Replay(AuditShowOptions),
}

#[derive(Debug, Args)]
pub struct AuditShowOptions {
    /// 会话编号，或客户的 openid；不写时取最近的会话
    #[arg(value_name = "会话")]
    pub conversation: Option<String>,
    #[command(flatten)]
    pub config: ConfigOption,
}

#[derive(Debug, Args)]
pub struct AuditExportOptions {
    /// 只导出这个会话
    #[arg(long, value_name = "会话")]
    pub conversation: Option<String>,
    #[command(flatten)]
    pub config: ConfigOption,
}
