"""Pages in the shape of real walls, one for each rule, and pages that only resemble them.

Written for these tests; what a wall's page is made of (fields, addresses, names of elements and
variables) is as its service sends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.fetch_rig import Play, leading_to, reply

HEX = "9F2C61A7D04E8B35C1D7E6F8A0B2C4D6E8F01234"
LONG = "<p>" + "The council met on Tuesday and heard the engineers. " * 1400 + "</p>"
"""More text than any wall has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An address to ask for, and what answers there and where it leads."""

    url: str
    pages: Mapping[str, Play]


def at(name: str, answer: Play) -> Site:
    """Return a site whose document answers so."""
    return Site(url=f"http://{name}.example/doc", pages={f"{name}.example/doc": answer})


def led(name: str, to: str, answer: Play) -> Site:
    """Return a site whose document leads to another address, which answers so."""
    pages = {f"{name}.example/doc": leading_to(to), to.partition("://")[2]: answer}
    return Site(url=f"http://{name}.example/doc", pages=pages)


def page(title: str, body: str, head: str = "", start: str = "<body>") -> bytes:
    """Return an HTML page."""
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title>{head}</head>{start}{body}</body></html>"
    ).encode()


def _cloudflare() -> bytes:
    script = "<script>(function(){window._cf_chl_opt={cvId:'3',cType:'managed'};"
    script += "var a=document.createElement('script');"
    script += "a.src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1';})();</script>"
    noscript = "<noscript>Enable JavaScript and cookies to continue</noscript>"
    return page("Just a moment...", noscript + script)


def _f5() -> bytes:
    head = '<script>(function(){window["bobcmn"]="1011"})();</script>'
    head += '<script src="/TSPD/08d4a1b2c3ab2000?type=9"></script>'
    words = "Please enable JavaScript to view the page content.<br/>Your support ID is: 17."
    return f"<html><head>{head}<noscript>{words}</noscript></head><body></body></html>".encode()


def _aliyun() -> bytes:
    return (
        f"<html><script>var arg1='{HEX}';function setCookie(n,v){{document.cookie=n+'='+v}}"
        "function reload(x){setCookie('acw_sc__v2',x);document.location.reload()}</script></html>"
    ).encode()


def _ruishu(body: str = "") -> bytes:
    return (
        "<html><head><meta charset='utf-8'><meta id='q1' content='K5z' r='m'>"
        "<script r='m'>$_ts=window['$_ts'];if(!$_ts)$_ts={};$_ts.nsd=24;$_ts.cd='qxae';</script>"
        f"<script src='/3of0/RkdM.bc42.js' r='m'></script></head><body>{body}</body></html>"
    ).encode()


def _yunsuo() -> bytes:
    script = "function YunSuoAutoJump(){var s=screen.width+','+screen.height;"
    script += "self.location='/doc?security_verify_data='+stringToHex(s);}"
    return page("", "", f"<script>{script}</script>", '<body onload="YunSuoAutoJump()">')


def _px() -> bytes:
    head = '<meta name="description" content="px-captcha">'
    body = '<div id="px-captcha"></div><script>window._pxAppId="PXabc";</script>'
    return page("Access to this page has been denied", body, head)


def _usg() -> str:
    return (
        "<p>You are accessing a U.S. Government (USG) Information System (IS) that is provided for "
        "USG-authorized use only.</p>"
    )


def _password() -> str:
    return '<form action="/auth"><input name="u"><input name="p" type="password"></form>'


_403, _429 = "403 Forbidden", "429 Too Many Requests"

WALLS: Mapping[str, Site] = {
    "cloudflare-mitigated": at("mitigated", reply(b"", "cf-mitigated: challenge", status=_403)),
    "cloudflare-interstitial": at("cloudflare", reply(_cloudflare(), status=_403)),
    "cloudflare-blocked": at(
        "cfblocked",
        reply(
            page(
                "Attention Required! | Cloudflare",
                '<div id="cf-error-details"><h1>Sorry, you have been blocked</h1></div>',
                '<link rel="stylesheet" href="/cdn-cgi/styles/cf.errors.css">',
            ),
            status=_403,
        ),
    ),
    "aws-waf": at("aws", reply(b"", "x-amzn-waf-action: captcha", status="405 Not Allowed")),
    "aws-waf-page": at(
        "awspage",
        reply(
            page(
                "",
                '<div id="challenge-container"></div>',
                '<script>window.gokuProps={"key":"k"};</script>'
                '<script src="https://9f.edge.token.awswaf.com/9f/challenge.js"></script>',
            ),
            status="202 Accepted",
        ),
    ),
    "imperva": at(
        "imperva",
        reply(
            b'<html><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW"></head><body>'
            b'<iframe id="main-iframe" src="/_Incapsula_Resource?SWUDNSAI=31&incident_id=1-2">'
            b"Request unsuccessful. Incapsula incident ID: 1-2</iframe></body></html>"
        ),
    ),
    "imperva-script": at(
        "impervascript",
        reply(
            b'<html>\r\n<head>\r\n<META NAME="robots" CONTENT="noindex,nofollow">\r\n'
            b'<script src="/_Incapsula_Resource?SWJIYLWA=719d34d3">\r\n</script>\r\n'
            b"<body>\r\n</body></html>"
        ),
    ),
    "imperva-pardon": at(
        "pardon",
        reply(
            page(
                "Pardon Our Interruption",
                "<h1>Pardon Our Interruption...</h1><p>As you were browsing, something about your "
                "browser made us think you were a bot.</p>",
            )
        ),
    ),
    "datadome": at(
        "datadome",
        reply(
            page(
                "datadome.example",
                "<p>Please enable JS and disable any ad blocker</p>"
                "<script>var dd={'rt':'c','cid':'A','hsh':'B','t':'fe',"
                "'host':'geo.captcha-delivery.com'}</script>"
                '<script src="https://ct.captcha-delivery.com/c.js"></script>',
            ),
            status=_403,
        ),
    ),
    "perimeterx": at("px", reply(_px())),
    "akamai-denied": at(
        "akamai",
        reply(
            page(
                "Access Denied",
                "<h1>Access Denied</h1>You don't have permission.<p>Reference #18.2b1"
                "<p>https://errors.edgesuite.net/18.2b1",
            ),
            status=_403,
        ),
    ),
    "akamai-challenge": at(
        "seccpt",
        reply(
            page(
                "&nbsp;",
                '<div id="sec-if-cpt-container"><p>Powered and protected by</p></div>'
                '<script src="/_sec/cp_challenge/sec-cpt-4-3.js"></script>',
            ),
            status="428 Precondition Required",
        ),
    ),
    "akamai-verify": at(
        "bmverify",
        reply(
            page("", "", '<meta http-equiv="refresh" content="5; URL=\'/doc?bm-verify=AAQAAAAJ\'">')
        ),
    ),
    "kasada": at(
        "kasada",
        reply(
            page(
                "",
                "",
                "<script>window.KPSDK={};KPSDK.now=Date.now;</script>"
                '<script src="/149e9513/2d206a39/ips.js?x-kpsdk-im=1"></script>',
            ),
            status=_429,
        ),
    ),
    "ddos-guard": at(
        "ddosguard",
        reply(
            page(
                "DDoS-Guard",
                "<h1>Checking your browser</h1>",
                '<script src="/.well-known/ddos-guard/js-challenge/index.js"></script>',
            ),
            "Server: ddos-guard",
            status=_403,
        ),
    ),
    "sucuri-script": at(
        "sucuri",
        reply(
            b"<html><title>You are being redirected...</title><noscript>Javascript is required."
            b"</noscript><script>var s={},u,c,sucuri_cloudproxy_js='',S='cz0i';</script></html>"
        ),
    ),
    "sucuri-blocked": at(
        "sucuriblock",
        reply(page("Sucuri WebSite Firewall - Access Denied", "<p>Block ID</p>"), status=_403),
    ),
    "anubis": at(
        "anubis",
        reply(
            page(
                "Making sure you&#39;re not a bot!",
                "<p>Protected by Anubis.</p>",
                '<script id="anubis_version" type="application/json">"v1.27.0"</script>'
                '<script id="anubis_challenge" type="application/json">{"rules":{}}</script>',
            )
        ),
    ),
    "go-away": at(
        "goaway",
        reply(
            page(
                "Checking you are not a bot",
                "",
                '<script src="/.well-known/.git.gammaspectra.live/git/go-away/cmd/go-away/'
                'challenge/js-pow-sha256/load.mjs"></script>',
            ),
            status="418 I'm a teapot",
        ),
    ),
    "wikimedia-policy": at(
        "wikimedia",
        reply(
            b"Please set a user-agent and respect our robot policy https://w.wiki/4wJS. "
            b"See also T400119.\n",
            status=_403,
            media="text/plain",
        ),
    ),
    "fastly": at(
        "fastly",
        reply(
            page(
                "Client Challenge",
                "",
                '<link rel="stylesheet" href="/_fs-ch-1T1wmsGaOgGaSxcX/assets/styles.css">',
            )
        ),
    ),
    "vercel": at("vercel", reply(b"", "x-vercel-mitigated: challenge", status=_429)),
    "siteground": at("sg", reply(b"", "SG-Captcha: challenge", status="202 Accepted")),
    "siteground-refresh": at(
        "sgpage",
        reply(
            b"<html><head><link rel=icon href=data:,>"
            b'<meta http-equiv="refresh" content="0;/.well-known/sgcaptcha/?r=%2Fdoc&y=ipc:1">'
            b"</meta></head></html>"
        ),
    ),
    "imunify360": at(
        "imunify",
        reply(
            page(
                "One moment, please...",
                "Please wait while your request is being verified...",
                "<script>location.href='/z0f76a1d?wsidchk=12'</script>",
            ),
            "Server: imunify360-webshield/1.21",
        ),
    ),
    "litespeed": at(
        "litespeed",
        reply(
            page(
                "Bot Verification",
                '<form id="lsrecaptcha-form" action="/.lsrecap/recaptcha?doc"></form>',
            )
        ),
    ),
    "f5-challenge": at("f5", reply(_f5())),
    "f5-rejected": at(
        "f5rejected",
        reply(
            b"<html><head><title>Request Rejected</title></head><body>The requested URL was "
            b"rejected. Please consult with your administrator.<br><br>Your support ID is: 17"
            b"</body></html>"
        ),
    ),
    "reblaze": at(
        "reblaze",
        reply(
            b'<html><head><script>;;window.rbzns={bereshit:"1",seed:"a"};winsocks();</script>'
            b"</head><body></body></html>",
            status="247 OK",
        ),
    ),
    "radware": led(
        "radware", "http://validate.perfdrive.com/?ssa=1", reply(page("Radware Page", ""))
    ),
    "wordfence": at(
        "wordfence",
        reply(
            page(
                "503",
                "<h1>Your access to this site has been limited by the site owner</h1>"
                "<p>Generated by Wordfence at Tue, 24 Nov 2026</p>",
            ),
            status="503 Service Unavailable",
        ),
    ),
    "testcookie": at(
        "testcookie",
        reply(
            b'<html><body><script src="/aes.js"></script><script>function toNumbers(d){return d}'
            b'var a=toNumbers("f6"),b=toNumbers("98"),c=toNumbers("1e");document.cookie="__test="'
            b'+toHex(slowAES.decrypt(c,2,a,b));location.href="/doc?i=1";</script></body></html>'
        ),
    ),
    "qrator": at(
        "qrator",
        reply(
            b'<html><body><script src="/__qrator/qauth_utm_v2.js"></script></body></html>',
            status="401 Unauthorized",
        ),
    ),
    "servicepipe": at(
        "servicepipe",
        reply(
            page("", '<div id="id_spinner"></div><script src="/exhkqyad"></script>'),
        ),
    ),
    "yandex-captcha": led(
        "yandex", "http://yandex.example/showcaptcha?retpath=x", reply(page("!", ""))
    ),
    "google-sorry": led("sorry", "http://www.google.com/sorry/index?q=x", reply(page("x", ""))),
    "amazon-captcha": at(
        "amazon",
        reply(
            page(
                "Amazon",
                '<form method="get" action="/errors/validateCaptcha" name=""><input name="amzn">'
                "</form>",
            )
        ),
    ),
    "queue-it": led("queue", "http://council.queue-it.net/?c=council&t=x", reply(page("Wait", ""))),
    "captcha-page": at(
        "captcha",
        reply(
            page(
                "Human Verification",
                '<form><div class="h-captcha"></div></form>',
                '<script src="https://js.hcaptcha.com/1/api.js"></script>',
            )
        ),
    ),
    "script-and-cookies": at(
        "scriptcookies",
        reply(page("council.example", "<h1>Please enable JavaScript and cookies to continue</h1>")),
    ),
    "aliyun-script": at("aliyun", reply(_aliyun())),
    "aliyun-slider": at(
        "slider",
        reply(
            page(
                "",
                '<textarea id="renderData" style="display:none">{"_waf_bd8ce2ce37":"x"}</textarea>',
                '<meta name="aliyun_waf_aa" content="1f">',
            )
        ),
    ),
    "aliyun-blocked": at(
        "aliyunblocked",
        reply(
            page("405", '<img src="https://errors.aliyun.com/images/TB1.png">'),
            status="405 Not Allowed",
        ),
    ),
    "alibaba-punish": at(
        "punish",
        reply(
            b"<script>sessionStorage.x5referer=window.location.href;window.location.replace("
            b'"https://punish.example:443//doc/_____tmd_____/punish?x5secdata=5e0c&x5step=1");'
            b"</script>"
        ),
    ),
    "ruishu": at("ruishu", reply(_ruishu("<script>_$gW()</script>"), status="412 x")),
    "ruishu-empty": at("ruishuempty", reply(_ruishu())),
    "jiasule": at(
        "jiasule",
        reply(
            b"<script>document.cookie=('_')+('_')+('j')+('s')+('l');location.href=location.pathname"
            b"+location.search</script>",
            "Set-Cookie: __jsluid_h=7f08cc; max-age=31536000; path=/; HttpOnly",
            status="521 x",
        ),
    ),
    "wangzhan-weishi": at(
        "wzws",
        reply(page("", "<script>var dynamicurl='/WZWSRELw==',wzwsquestion='x';</script>")),
    ),
    "yunsuo": at("yunsuo", reply(_yunsuo())),
    "safedog": at(
        "safedog",
        reply(
            page(
                "网站防火墙",
                '<div style="background:url(http://404.safedog.cn/images/safedogsite/'
                'broswer_logo.jpg)"></div>',
            )
        ),
    ),
    "yunjiasu": at(
        "yunjiasu",
        reply(
            page("", "<script>document.cookie='yjs_js_security_passport='+x</script>"),
            "Server: yunjiasu-nginx",
        ),
    ),
    "baidu-captcha": led(
        "baidu", "http://wappass.baidu.com/static/captcha/tuxing.html?ak=x", reply(page("x", ""))
    ),
    "tencent-captcha": at(
        "tencent",
        reply(
            page(
                "",
                "<script>new TencentCaptcha('19',f);x.open('POST','/WafCaptcha')</script>",
                '<script src="https://turing.captcha.qcloud.com/TCaptcha.js"></script>',
            )
        ),
    ),
    "tencent-blocked": at(
        "tencentblocked",
        reply(page("501", '<iframe src="https://waf.tencent-cloud.com/501page.html"></iframe>')),
    ),
    "edgeone": at("edgeone", reply(b"", "Server: TencentEdgeOne", status="567 x")),
    "btwaf": at(
        "btwaf",
        reply(
            page(
                "滑动验证",
                '<script src="/huadong_296d626f_0cc175b9c0f1b6a8.js?id=1"></script>',
            ),
            status=_403,
        ),
    ),
    "consent-host": led(
        "consenthost",
        "http://consent.youtube.com/m?continue=http%3A%2F%2Fconsenthost.example%2Fdoc",
        reply(page("Before you continue to YouTube", "")),
    ),
    "consent-path": led(
        "zeitung",
        "http://zeitung.example/zustimmung?url=http%3A%2F%2Fzeitung.example%2Fdoc",
        reply(page("x", "")),
    ),
    "consent-tcf": led("tcf", "http://tcf.example/consent/tcf/story/17", reply(page("x", ""))),
    "onetrust-page": at(
        "onetrust",
        reply(
            page(
                "We value your privacy",
                '<script src="https://cdn.cookielaw.org/scripttemplates/otSDKStub.js"></script>',
            )
        ),
    ),
    "sourcepoint-page": at(
        "sourcepoint",
        reply(
            page(
                "council.example",
                "<script>window._sp_={config:{}}</script>",
                '<script src="https://cdn.privacy-mgmt.com/unified/x.js"></script>',
                '<body class="page--cookie-wall">',
            )
        ),
    ),
    "didomi-page": at(
        "didomi",
        reply(
            page(
                "Nous respectons votre vie privée",
                '<script src="https://sdk.privacy-center.org/x/loader.js"></script>',
            )
        ),
    ),
    "usg-notice": at(
        "usg",
        reply(page("Notice", _usg() + '<form><input type="submit" value="I Accept"></form>')),
    ),
    "login-page": led(
        "login", "http://login.example/login?next=/doc", reply(page("Sign in", _password()))
    ),
    "login-host": led(
        "weibo", "http://passport.weibo.com/visitor/visitor?entry=x", reply(page("Visitor", ""))
    ),
    "network-login": at(
        "portal", reply(page("Network login", ""), status="511 Network Authentication Required")
    ),
}
"""For each rule a page that it takes for a wall."""

NEAR: Mapping[str, Site] = {
    "an article about Cloudflare's page": at(
        "n1",
        reply(
            page(
                "Just a moment: how walls work",
                "<p>The title is <code>Just a moment...</code>, the variable _cf_chl_opt.</p>",
            )
        ),
    ),
    "a page whose CDN adds its sensor": at(
        "n2",
        reply(
            page(
                "The bridge",
                "<p>Opened.</p><script>window.__CF$cv$params={r:'1'};</script>"
                '<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>',
            )
        ),
    ),
    "a page behind Imperva": at(
        "n3",
        reply(
            page(
                "The bridge",
                LONG + '<script src="/_Incapsula_Resource?SWJIYLWA=719d34d3"></script>',
            )
        ),
    ),
    "a small page behind Imperva": at(
        "n4",
        reply(
            page(
                "The bridge",
                "<p>Opened on Tuesday.</p>"
                '<script src="/_Incapsula_Resource?SWJIYLWA=719d34d3"></script>',
            )
        ),
    ),
    "a page behind DataDome": at(
        "n5",
        reply(
            page("The bridge", '<script src="https://js.datadome.co/tags.js"></script><p>Open'),
            "x-datadome: protected",
        ),
    ),
    "a page with HUMAN's sensor": at(
        "n6", reply(page("The bridge", "<p>Open</p><script>window._pxAppId='PXabc'</script>"))
    ),
    "a page behind Kasada": at(
        "n7",
        reply(page("The bridge", '<script>window.KPSDK={}</script><script src="/1/2/p.js">')),
    ),
    "a page behind Ruishu": at("n8", reply(_ruishu("<p>The notice of the ministry.</p>"))),
    "a page from DDoS-Guard's network": at(
        "n9", reply(page("The bridge", "<p>Open</p>"), "Server: ddos-guard")
    ),
    "a page from Yunjiasu's network": at(
        "n10", reply(page("The bridge", "<p>Open</p>"), "Server: yunjiasu-nginx")
    ),
    "a news page with a login in its header": at(
        "n11", reply(page("The bridge", _password() + "<p>Open</p>"))
    ),
    "a news page with a login in its header, led to": led(
        "n12", "http://n12.example/news/doc", reply(page("The bridge", _password() + "<p>Open</p>"))
    ),
    "a page about logging in, led to": led(
        "n13", "http://n13.example/help/login-problems", reply(page("Help", _password()))
    ),
    "a login page that was asked for": Site(
        url="http://n14.example/login",
        pages={
            "n14.example/login": leading_to("http://www.n14.example/login"),
            "www.n14.example/login": reply(page("Sign in", _password())),
        },
    ),
    "a contact form with a captcha": at(
        "n15",
        reply(
            page(
                "Write to the council",
                '<form><textarea></textarea><div class="g-recaptcha"></div></form>',
                '<script src="https://www.google.com/recaptcha/api.js"></script>',
            )
        ),
    ),
    "an article on consent walls": at(
        "n15a",
        reply(
            page(
                "Before you continue to YouTube: consent walls explained",
                "<p>What the wall says, and to whom.</p>" * 40,
                '<script src="https://cdn.cookielaw.org/scripttemplates/otSDKStub.js"></script>',
            )
        ),
    ),
    "an article on captchas, with a form for comments": at(
        "n15b",
        reply(
            page(
                "Captcha",
                '<p class="text">How captchas came to be.</p>' * 40 + "<form></form>",
                '<script src="https://www.google.com/recaptcha/api.js"></script>',
            )
        ),
    ),
    "a study of human verification": at(
        "n16",
        reply(
            page(
                "Human verification in elections",
                "<p>How captchas came to be.</p>",
                '<script src="https://js.hcaptcha.com/1/api.js"></script>',
            )
        ),
    ),
    "an application that needs script": at(
        "n17",
        reply(
            page(
                "Register of ships",
                "<noscript>You need to enable JavaScript to run this app.</noscript>"
                '<div id="root"></div><script src="/main.js"></script>',
            )
        ),
    ),
    "an article that quotes the sentence": at(
        "n18",
        reply(
            page(
                "Locked out",
                "<p>Readers saw: Please enable JavaScript and cookies to continue. Then what?</p>",
            )
        ),
    ),
    "a page with OneTrust's banner": at(
        "n19",
        reply(
            page(
                "The bridge",
                "<p>Open</p>",
                '<script src="https://cdn.cookielaw.org/scripttemplates/otSDKStub.js"></script>',
            )
        ),
    ),
    "a cookie policy with Sourcepoint": at(
        "n20",
        reply(
            page(
                "Cookie policy | The council",
                '<p>We value your privacy.</p><div class="cookie-wall-note">',
                '<script src="https://cdn.privacy-mgmt.com/unified/x.js"></script>',
            )
        ),
    ),
    "an application with Didomi": at(
        "n21",
        reply(
            page(
                "Register of ships",
                '<div id="app"></div>',
                '<script src="https://sdk.privacy-center.org/x/loader.js"></script>',
            )
        ),
    ),
    "a page about consent, led to": led(
        "n22", "http://n22.example/consent/research?id=17", reply(page("Informed consent", ""))
    ),
    "a page on the word for consent, led to": led(
        "n23", "http://n23.example/zustimmung-im-bundestag", reply(page("Zustimmung", ""))
    ),
    "an article that quotes the USG notice": at("n24", reply(page("Banners", _usg() + LONG))),
    "an ordinary 403": at(
        "n25", reply(b"<html><title>403 Forbidden</title>nginx</html>", status=_403)
    ),
    "an access denied of the site's own": at(
        "n26", reply(page("Access Denied", "<p>Members only.</p>"), status=_403)
    ),
    "an ordinary 503": at(
        "n27", reply(page("Maintenance", ""), "Retry-After: 9", status="503 Unavailable")
    ),
    "a text that holds a wall's source": at("n28", reply(_cloudflare(), media="text/plain")),
    "a script that holds a wall's names": at(
        "n29", reply(b"yunsuoautojump() sucuri_cloudproxy_js", media="text/javascript")
    ),
    "a site with a cookie of Jiasule": at(
        "n30", reply(page("The bridge", ""), "Set-Cookie: __jsluid_h=7f; path=/")
    ),
    "an error of the origin that Cloudflare shows as 521": at(
        "n31", reply(page("521: Web server is down", ""), status="521 x")
    ),
    "an article that lists the marks of walls": at(
        "n32",
        reply(
            page(
                "Walls and their marks",
                "<p>acw_sc__v2, captcha-delivery.com, /TSPD/, winsocks, px-captcha, wzws, "
                "404.safedog.cn, anubis_challenge, sec-if-cpt-container, bm-verify=, gokuProps, "
                "/.lsrecap/recaptcha, exhkqyad, KPSDK, yjs_js_security_passport, /WafCaptcha, "
                "_Incapsula_Resource, /__qrator/qauth.js, slowAES.decrypt, renderData.</p>",
            )
        ),
    ),
    "a page that EdgeOne serves": at(
        "n33", reply(page("The bridge", ""), "Server: TencentEdgeOne")
    ),
    "a redirect page of the site's own": at(
        "n34", reply(page("You are being redirected", '<a href="/new">here</a>'))
    ),
    "a search for captcha on Google": led(
        "n35", "http://www.google.com/search?q=sorry/index", reply(page("sorry", ""))
    ),
    "an answer of Imunify's host": at(
        "n36", reply(page("The bridge", ""), "Server: imunify360-webshield/1.21")
    ),
    "a PDF": at("n37", reply(b"%PDF-1.7\n" + _cloudflare(), media="application/pdf")),
    "a request that was rejected, an article": at(
        "n38", reply(page("Request rejected by the council", "<p>Your support ID is needed.</p>"))
    ),
    "a page that loads AWS WAF's integration": at(
        "n39",
        reply(
            page("The bridge", '<script src="https://x.edge.sdk.awswaf.com/challenge.js"></script>')
        ),
    ),
    "an article with Imperva's title": at(
        "n40", reply(page("Pardon our interruption", "<p>A column on manners.</p>"))
    ),
    "an answer that gives Akamai's reference": at(
        "n41",
        reply(page("Access denied: a report", "<p>https://errors.edgesuite.net/18.2b1</p>")),
    ),
    "a page called Client Challenge": at(
        "n42", reply(page("Client Challenge", "<p>A workshop.</p>"))
    ),
    "a page behind Fastly": at(
        "n43", reply(page("The bridge", '<img src="/_fs-ch-1T1/assets/errorIcon.svg">'))
    ),
    "a page called DDoS-Guard": at("n44", reply(page("DDoS-Guard", "<p>A company.</p>"))),
    "a page behind F5": at(
        "n45",
        reply(
            page(
                "The bridge",
                "<noscript>Please enable JavaScript to view the page content.</noscript><p>Open",
                '<script src="/TSPD/08d4a1b2c3ab2000?type=17"></script>',
            )
        ),
    ),
    "a page called Request Rejected": at(
        "n46", reply(page("Request Rejected", "<p>A play in three acts.</p>"))
    ),
    "a page behind Reblaze": at(
        "n47", reply(page("The bridge", "<script>window.rbzns={};</script><p>Open"))
    ),
    "a site signed by Wordfence": at(
        "n48", reply(page("Report", "<p>Generated by Wordfence.</p>"), status="503 x")
    ),
    "a lesson in AES": at(
        "n49",
        reply(page("AES", "<script>toNumbers('f6');slowAES.decrypt(c,2,a,b)</script>")),
    ),
    "a script with a hexadecimal argument": at(
        "n50", reply(page("Ships", f"<script>var arg1='{HEX}';</script>"))
    ),
    "a page with an element of that name": at(
        "n51", reply(page("Ships", '<textarea id="renderData">{"ships":3}</textarea>'))
    ),
    "an ordinary 405": at("n52", reply(page("405", ""), status="405 x")),
    "an ordinary 412": at("n53", reply(page("412", ""), status="412 x")),
    "an ordinary 429": at("n54", reply(page("429", ""), status=_429)),
    "an odd status of another server": at("n55", reply(page("567", ""), status="567 x")),
    "a page with Tencent's captcha": at(
        "n56",
        reply(
            page(
                "Write to us",
                "<script>new TencentCaptcha('19',f)</script>",
                '<script src="https://turing.captcha.qcloud.com/TCaptcha.js"></script>',
            )
        ),
    ),
    "an essay that values privacy": at(
        "n57", reply(page("We value your privacy", "<p>Said every site.</p>"))
    ),
    "the USG notice with nothing to accept": at("n58", reply(page("Notice", _usg()))),
    "a login without a password, led to": led(
        "n59", "http://n59.example/login", reply(page("Sign in", '<div id="app"></div>'))
    ),
    "a page with a check for a title": at(
        "n60", reply(page("Security Check", "<p>What inspectors do at the harbour.</p>"))
    ),
    "an ordinary 403 of Cloudflare's customer": at(
        "n61",
        reply(page("403", '<link href="/cdn-cgi/styles/main.css">'), "Server: x", status=_403),
    ),
    "an article with HUMAN's sensor and its name": at(
        "n62", reply(page("px-captcha", "<p>px-captcha</p><script>window._pxAppId='P'</script>"))
    ),
}
"""Pages that no rule may take for a wall."""
