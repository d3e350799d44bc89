"""CPU time per encrypted callback of WeRoBot and of wechatpy with Flask, called through WSGI without a socket."""

import io
import random
import re
import sys
import time

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
TOKEN = "load"
APP_ID = "wxload"
COUNT = int(sys.argv[1])
WORDS = [f"关键词{rule}之{word}" for rule in range(500) for word in range(5)]
TEXTS = ["我的快递到哪了", "怎么还没发货呀都三天了", "请问这件衣服有没有大一号的", "可以开专票吗公司报销用", "你好在吗"]


def requests():
    """Encrypted requests as WeChat sends them, each with an id of its own."""
    from wechatpy.crypto import WeChatCrypto

    crypto = WeChatCrypto(TOKEN, KEY, APP_ID)
    made = []
    for number in range(COUNT):
        text = TEXTS[number % len(TEXTS)] + str(number)
        body = (
            "<xml><ToUserName><![CDATA[gh_load]]></ToUserName><FromUserName><![CDATA[o%06d]]></FromUserName>"
            "<CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            "<Content><![CDATA[%s]]></Content><MsgId>%d</MsgId></xml>"
        ) % (number % 2000, text, 24000000000000000 + number)
        nonce, stamp = str(random.randrange(10**9)), "1700000000"
        envelope = crypto.encrypt_message(body, nonce, stamp)
        encrypt = re.search(r"<Encrypt><!\[CDATA\[(.*?)\]\]></Encrypt>", envelope, re.S).group(1)
        from wechatpy.utils import WeChatSigner

        def sign(*parts):
            signer = WeChatSigner()
            signer.add_data(*parts)
            return signer.signature

        query = "signature=%s&timestamp=%s&nonce=%s&encrypt_type=aes&msg_signature=%s" % (
            sign(TOKEN, stamp, nonce),
            stamp,
            nonce,
            sign(TOKEN, stamp, nonce, encrypt),
        )
        posted = "<xml><ToUserName><![CDATA[gh_load]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt></xml>" % encrypt
        made.append((query, posted.encode()))
    return made


def measure(name, app, made):
    answers = 0
    began = time.process_time()
    for query, body in made:
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "text/xml", "SERVER_NAME": "load", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr, "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }
        status = []
        answer = b"".join(app(environ, lambda line, headers, exc_info=None: status.append(line)))
        answers += status[0].startswith("200") and b"Encrypt" in answer
    spent = time.process_time() - began
    print(f"{name}: {spent / len(made) * 1e6:.0f} µs CPU a request, {answers} of {len(made)} answered")


def werobot_app():
    import werobot

    robot = werobot.WeRoBot(token=TOKEN, encoding_aes_key=KEY, app_id=APP_ID)
    robot.config["SESSION_STORAGE"] = False
    for word in WORDS:
        robot.filter(re.compile(re.escape(word)))(lambda message: "命中")
    robot.add_handler(lambda message: "没听懂")
    return robot.wsgi


def wechatpy_app():
    from flask import Flask, request
    from wechatpy import create_reply, parse_message
    from wechatpy.crypto import WeChatCrypto

    app = Flask(__name__)
    crypto = WeChatCrypto(TOKEN, KEY, APP_ID)
    words = re.compile("|".join(map(re.escape, WORDS)))

    @app.post("/")
    def callback():
        given = request.args
        plain = crypto.decrypt_message(request.data, given["msg_signature"], given["timestamp"], given["nonce"])
        message = parse_message(plain)
        reply = create_reply("命中" if words.search(message.content) else "没听懂", message)
        return crypto.encrypt_message(reply.render(), given["nonce"], given["timestamp"])

    return app.wsgi_app


made = requests()
measure("wechatpy + Flask, one expression of 2,500 words", wechatpy_app(), made)
measure("WeRoBot, 2,500 keyword filters", werobot_app(), made)
