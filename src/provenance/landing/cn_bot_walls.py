"""Name the marks of bot walls and denials of services used in China. Pure data."""

from __future__ import annotations

from provenance.landing.rule import Kind, Rule

_WALL, _DENIAL = Kind.BOT_WALL, Kind.DENIAL

CN_BOT_WALLS: tuple[Rule, ...] = (
    Rule(
        id="aliyun-script",
        kind=_WALL,
        why="The argument of Alibaba Cloud's cookie script and the cookie that it sets; the "
        "script is the whole page.",
        marks=(rb"acw_sc__v2\b", rb"\barg1\s*=\s*['\"][0-9a-f]{40}['\"]"),
        longest=60 << 10,
    ),
    Rule(
        id="aliyun-slider",
        kind=_WALL,
        why="The element that carries the task of Alibaba Cloud's slider, in a page that is "
        "little more.",
        marks=(rb"id=[\"']renderdata[\"']", rb"_waf_[0-9a-f]{6}|[\"']aliyun_waf_[a-z]{2}[\"']"),
        longest=60 << 10,
    ),
    Rule(
        id="aliyun-blocked",
        kind=_DENIAL,
        why="Alibaba Cloud's firewall denies with this status and a page from its own hosts.",
        statuses=(405,),
        marks=(rb"errors\.aliyun\.com/|g\.alicdn\.com/sd-base/",),
        longest=16 << 10,
    ),
    Rule(
        id="alibaba-punish",
        kind=_WALL,
        why="The address of Alibaba's own captcha, which the page leads on to.",
        marks=(rb"/_____tmd_____/(punish|page)",),
        longest=16 << 10,
    ),
    Rule(
        id="ruishu",
        kind=_WALL,
        why="The object of Ruishu's script in an answer with one of its statuses. Pages behind "
        "Ruishu carry the script too, with status 200.",
        statuses=(202, 400, 412),
        marks=(rb"\$_ts\s*=\s*window\['\$_ts'\]",),
    ),
    Rule(
        id="ruishu-empty",
        kind=_WALL,
        why="The object of Ruishu's script in a page with an empty body.",
        marks=(
            rb"\$_ts\s*=\s*window\['\$_ts'\]",
            rb"<body[^>]{0,100}>\s*</body>|</head>\s*</html>",
        ),
    ),
    Rule(
        id="jiasule",
        kind=_WALL,
        why="Knownsec's Jiasule sets its cookie with a status that no standard has, in place of "
        "the page.",
        statuses=(512, 521),
        field=("set-cookie", r"^__jsluid"),
    ),
    Rule(
        id="wangzhan-weishi",
        kind=_WALL,
        why="The question that 360's Wangzhan Weishi has a script answer; the script is the page.",
        marks=(rb"wzws(challenge|question|confirm|rel)",),
        longest=32 << 10,
    ),
    Rule(
        id="yunsuo",
        kind=_WALL,
        why="The function with which Yunsuo's check leads on to the page.",
        marks=(rb"yunsuoautojump\s*\(",),
        longest=16 << 10,
    ),
    Rule(
        id="safedog",
        kind=_DENIAL,
        why="Safedog's denial page takes its pictures from its own host.",
        marks=(rb"//404\.safedog\.cn/",),
        longest=16 << 10,
    ),
    Rule(
        id="yunjiasu",
        kind=_WALL,
        why="Baidu Yunjiasu answered itself, with the cookie or the title of its check.",
        field=("server", r"^yunjiasu"),
        marks=(
            rb"yjs_js_security_passport|<title>\s*(just a moment|attention required! \| yunjiasu)",
        ),
        longest=32 << 10,
    ),
    Rule(
        id="baidu-captcha",
        kind=_WALL,
        why="Baidu sends clients that it takes for robots to this host.",
        led_to=r"https?://wappass\.baidu\.com/static/captcha/",
    ),
    Rule(
        id="tencent-captcha",
        kind=_WALL,
        why="The address that answers of Tencent Cloud's captcha page go to, with the captcha.",
        marks=(rb"/wafcaptcha\b", rb"captcha\.qcloud\.com/|\btencentcaptcha\("),
        longest=60 << 10,
    ),
    Rule(
        id="tencent-blocked",
        kind=_DENIAL,
        why="Tencent Cloud's denial page takes its parts from the firewall's own hosts.",
        marks=(rb"waf\.tencent-cloud\.com/|imgcache\.qq\.com/qcloud/security/static/",),
        longest=16 << 10,
    ),
    Rule(
        id="edgeone",
        kind=_DENIAL,
        why="Tencent EdgeOne denies with statuses that no standard has.",
        statuses=(566, 567),
        field=("server", r"edgeone"),
    ),
    Rule(
        id="btwaf",
        kind=_WALL,
        why="The address of the Baota panel's slider or script check, in a page that is little "
        "more.",
        marks=(rb"/(huadong|renji|jisuan)_[0-9a-f]{8}_|_yanzheng_(huadong|renji|ip)\.php",),
        longest=32 << 10,
    ),
)
