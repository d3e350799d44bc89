"""wechatpy as WeChat's side of the callback: it signs and encrypts, decrypts and parses what the server answers.

Usage: wechatpy_client.py URL. The account is the one that tests/interop/run configures.
"""

import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import xmltodict
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import WeChatSigner, check_signature

TOKEN = "QDG6eK"
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
APP_ID = "wx5823bf96d3bd56c7"

URL = sys.argv[1]
crypto = WeChatCrypto(TOKEN, KEY, APP_ID)
numbers = iter(range(24000000000000001, 24000000000001000))


def sign(*parts):
    signer = WeChatSigner()
    signer.add_data(*parts)
    return signer.signature


def request(query, body=None):
    url = URL + "?" + urllib.parse.urlencode(query)
    data = None if body is None else body.encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def push(kind, fields, sender="oInterop", with_id=True):
    inner = f"<ToUserName><![CDATA[gh_interop]]></ToUserName><FromUserName><![CDATA[{sender}]]></FromUserName>"
    inner += f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>"
    inner += "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    if with_id:
        inner += f"<MsgId>{next(numbers)}</MsgId>"
    return f"<xml>{inner}</xml>"


def send(message, tamper=lambda query, body: (query, body)):
    """Encrypts as WeChat does, posts, and gives the status and the raw answer."""
    nonce, timestamp = "415670741", str(int(time.time()))
    sealed = xmltodict.parse(crypto.encrypt_message(message, nonce, timestamp))["xml"]
    query = {
        "signature": sign(TOKEN, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": "oInterop",
        "encrypt_type": "aes",
        "msg_signature": sealed["MsgSignature"],
    }
    body = f"<xml><ToUserName><![CDATA[gh_interop]]></ToUserName><Encrypt><![CDATA[{sealed['Encrypt']}]]></Encrypt></xml>"
    return request(*tamper(query, body))


def answer(message):
    """The decrypted reply, as wechatpy parses it; decrypt_message checks MsgSignature and AppID."""
    status, body = send(message)
    assert status == 200, (status, body)
    sealed = xmltodict.parse(body)["xml"]
    plain = crypto.decrypt_message(body, sealed["MsgSignature"], sealed["TimeStamp"], sealed["Nonce"])
    reply = parse_message(plain)
    assert reply.source == "gh_interop" and reply.target == "oInterop", plain
    return reply, plain


def url_check_echoes():
    timestamp, nonce, echo = "1714036504", "1514711492", "4375120948345356249"
    signature = sign(TOKEN, timestamp, nonce)
    check_signature(TOKEN, signature, timestamp, nonce)
    query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
    assert request(query) == (200, echo)


def url_check_refuses_what_wechatpy_refuses():
    query = {"signature": "0" * 40, "timestamp": "1", "nonce": "2", "echostr": "3"}
    try:
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
        raise AssertionError("wechatpy takes a wrong signature")
    except InvalidSignatureException:
        pass
    assert request(query)[0] == 403


def text_is_answered():
    reply, plain = answer(push("text", {"Content": "退货怎么办😀 <b>&"}))
    assert reply.type == "text", plain
    assert reply.content == "收到：退货怎么办😀 <b>&", plain


def text_with_the_end_of_cdata_survives():
    reply, plain = answer(push("text", {"Content": "尾巴"}))
    assert reply.content == "结尾是 ]]> 与 <b>&amp;</b> 😀", plain


def image_is_answered():
    reply, plain = answer(push("text", {"Content": "图片"}))
    assert reply.type == "image", plain
    assert xmltodict.parse(plain)["xml"]["Image"]["MediaId"] == "尺码表", plain


def news_is_answered():
    _, plain = answer(push("text", {"Content": "图文"}))
    news = xmltodict.parse(plain)["xml"]
    assert news["MsgType"] == "news" and news["ArticleCount"] == "1", plain
    assert news["Articles"]["item"]["Title"] == "双十一", plain


def a_long_text_comes_whole():
    reply, plain = answer(push("text", {"Content": "长" * 300}))
    assert reply.content == "收到：" + "长" * 300, plain


def event_is_answered():
    reply, plain = answer(push("event", {"Event": "subscribe"}, with_id=False))
    assert reply.content == "欢迎关注", plain


def unknown_event_is_acknowledged_in_plain():
    assert send(push("event", {"Event": "a_new_one"}, with_id=False)) == (200, "success")


def the_same_message_again_gets_the_same_reply():
    message = push("text", {"Content": "两次"})
    assert answer(message)[0].content == answer(message)[0].content == "收到：两次"


def a_wrong_signature_is_refused():
    status, body = send(push("text", {"Content": "假"}), lambda query, body: ({**query, "msg_signature": "0" * 40}, body))
    assert (status, body) == (403, ""), (status, body)


def another_app_id_is_refused():
    global crypto
    mine, crypto = crypto, WeChatCrypto(TOKEN, KEY, "wx0000000000000bad")
    try:
        assert send(push("text", {"Content": "假"})) == (403, "")
    finally:
        crypto = mine


def a_plain_body_is_refused():
    message = push("text", {"Content": "假"})
    assert send(message, lambda query, _: (query, message)) == (403, "")


CASES = [
    url_check_echoes,
    url_check_refuses_what_wechatpy_refuses,
    text_is_answered,
    text_with_the_end_of_cdata_survives,
    image_is_answered,
    news_is_answered,
    a_long_text_comes_whole,
    event_is_answered,
    unknown_event_is_acknowledged_in_plain,
    the_same_message_again_gets_the_same_reply,
    a_wrong_signature_is_refused,
    another_app_id_is_refused,
    a_plain_body_is_refused,
]

failed = 0
for case in CASES:
    try:
        case()
        print(f"ok    {case.__name__}")
    except Exception as error:  # A case that breaks in any way has failed.
        failed += 1
        print(f"FAIL  {case.__name__}: {type(error).__name__}: {error}")
print(f"{len(CASES) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
