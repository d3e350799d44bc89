//! Sentences the engine says of its own accord, where the package says nothing.

/// A connector call is in flight.
pub(crate) const PLEASE_WAIT: &str = "正在为您查询，请稍候。";
/// 安抚 without a script of that name.
pub(crate) const SOOTHE: &str =
    "非常抱歉给您带来了不好的体验，您的心情我们完全理解，马上为您处理。";
/// Nothing else was said to a customer who wrote.
pub(crate) const NOT_UNDERSTOOD: &str =
    "抱歉，我没有理解您的意思，请换个说法，或回复「人工」转人工客服。";
/// The step cap was hit.
pub(crate) const STEP_CAP: &str = "抱歉，这个问题我处理不了，马上为您转接人工客服。";
/// The customer left the queue.
pub(crate) const LEFT_QUEUE: &str = "已为您退出排队。请问还有什么可以帮您？";
/// 留言 was kept and the package says nothing more.
pub(crate) const MESSAGE_KEPT: &str = "您的留言已记下，我们会尽快与您联系。";
/// A question was left by the customer's wish.
pub(crate) const CANCELLED: &str = "好的，已为您取消。请问还有什么可以帮您？";
/// Asks for a choice where a menu has no text of its own.
pub(crate) const CHOOSE: &str = "请回复序号：";
/// Below a menu that was reached from another.
pub(crate) const BACK: &str = "回复 0 返回上一级";
/// Above suggested questions.
pub(crate) const DID_YOU_MEAN: &str = "您是不是想问（回复序号查看）：";
/// Above questions related to an answer.
pub(crate) const RELATED: &str = "相关问题（回复序号查看）：";
/// A 提示 of the skill group stands behind it.
pub(crate) const HANDING_OVER: &str = "正在为您转接人工客服";
/// Title of the ticket that keeps a message left.
pub(crate) const MESSAGE_TICKET: &str = "客户留言";
