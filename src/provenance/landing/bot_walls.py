"""Name the marks of bot walls and denials of services used all over the world. Pure data.

A mark is something that only the wall has: a field, the address of its challenge, an element's id.
Libraries that walls share with the pages behind them (a captcha's script, a sensor) are no marks by
themselves.
"""

from __future__ import annotations

from provenance.landing.rule import FEW, Kind, Rule

_WALL, _DENIAL = Kind.BOT_WALL, Kind.DENIAL
_CAPTCHAS = (
    rb"js\.hcaptcha\.com/|google\.com/recaptcha/|recaptcha\.net/recaptcha/"
    rb"|challenges\.cloudflare\.com/turnstile/|static\.geetest\.com/|captcha\.qcloud\.com/"
    rb"|smartcaptcha\.(yandexcloud\.net|yandex\.)"
)
# Whole titles, each with a separator or the end after it.
_CHECK_TITLES = (
    rb"<title>\s*((human|bot|robot|security|browser) (verification|check|challenge)"
    rb"|(just a moment, )?verify(ing)? (that )?you are (a )?human|are you (a )?(human|robot)"
    rb"|verification required|checking your browser|captcha( required)?"
    rb"|you are not a robot|i am not a robot|i'm not a robot)[\s.!?]*(</title>|\||-)"
)

BOT_WALLS: tuple[Rule, ...] = (
    Rule(
        id="cloudflare-mitigated",
        kind=_WALL,
        why="Cloudflare states in this field that it answered with a challenge of its own.",
        field=("cf-mitigated", r"challenge"),
    ),
    Rule(
        id="cloudflare-interstitial",
        kind=_WALL,
        why="The interstitial's title together with the variable that its challenge script reads. "
        "Ordinary pages behind Cloudflare have neither.",
        marks=(
            rb"<title>\s*just a moment\.\.\.\s*</title>",
            rb"_cf_chl_opt\b|cf-browser-verification|\bjschl[_-]vc\b",
        ),
    ),
    Rule(
        id="cloudflare-blocked",
        kind=_DENIAL,
        why="The title and the style sheet of Cloudflare's own error page.",
        statuses=(403, 429, 503),
        marks=(
            rb"<title>\s*(attention required! \| cloudflare"
            rb"|access denied \| [^<]{1,200} used cloudflare)",
            rb"/cdn-cgi/styles/|cf-error-details",
        ),
    ),
    Rule(
        id="aws-waf",
        kind=_WALL,
        why="AWS WAF names the action that it took instead of passing the request on.",
        field=("x-amzn-waf-action", r"challenge|captcha"),
    ),
    Rule(
        id="aws-waf-page",
        kind=_WALL,
        why="The variable that AWS WAF's challenge script reads, set in a page that is little "
        "more than that script.",
        marks=(rb"window\.gokuprops\s*=", rb"awswaf\.com/"),
        longest=16 << 10,
    ),
    Rule(
        id="imperva",
        kind=_WALL,
        why="Imperva's incident number in the frame that is the whole page.",
        marks=(rb"/_incapsula_resource\?", rb"incapsula incident id"),
        longest=8 << 10,
    ),
    Rule(
        id="imperva-script",
        kind=_WALL,
        why="Imperva's script in a page that has an empty body. Pages behind Imperva load the "
        "same script, but have a body.",
        marks=(rb"<script[^>]{1,200}/_incapsula_resource\?swjiylwa=", rb"<body>\s*</body>"),
        longest=4 << 10,
    ),
    Rule(
        id="imperva-pardon",
        kind=_WALL,
        why="The title of Imperva's bot page with the sentence that says why it came.",
        marks=(
            rb"<title>\s*pardon our interruption",
            rb"made us think (that )?you (were|might be) a bot|super-?human speed",
        ),
        longest=32 << 10,
    ),
    Rule(
        id="datadome",
        kind=_WALL,
        why="The variable that DataDome's captcha reads, and the captcha's host, in a page that "
        "has nothing else.",
        marks=(rb"captcha-delivery\.com", rb"\bdd\s*=\s*\{\s*['\"]rt['\"]\s*:"),
        longest=16 << 10,
    ),
    Rule(
        id="perimeterx",
        kind=_WALL,
        why="The element or description that HUMAN puts into its captcha page and nowhere else.",
        marks=(
            rb"<meta[^>]{1,80}content=[\"']px-captcha[\"']|<div[^>]{1,80}id=[\"']px-captcha[\"']",
            rb"_pxappid|px-cdn\.net|px-cloud\.net|/captcha/captcha\.js",
        ),
    ),
    Rule(
        id="akamai-denied",
        kind=_DENIAL,
        why="Akamai's denial page gives a reference number at its own host.",
        statuses=(403,),
        marks=(rb"<title>\s*access denied", rb"errors\.edgesuite\.net"),
        longest=8 << 10,
    ),
    Rule(
        id="akamai-challenge",
        kind=_WALL,
        why="The container of Akamai's interstitial, or the address of its challenge, in a page "
        "that is little more.",
        marks=(rb"id=[\"']sec-if-cpt-container[\"']|src=[\"']/_sec/(cp_challenge/|verify\?)",),
        longest=32 << 10,
    ),
    Rule(
        id="akamai-verify",
        kind=_WALL,
        why="A refresh to the same page with the token of Akamai's behavioural check.",
        marks=(rb"<meta[^>]{1,40}http-equiv=[\"']?refresh[^>]{1,400}[?&]bm-verify=",),
        longest=16 << 10,
    ),
    Rule(
        id="kasada",
        kind=_WALL,
        why="Kasada's object is made and its first script loaded in an answer that denies access.",
        statuses=(403, 429),
        marks=(rb"window\.kpsdk\s*=", rb"/ips\.js\b"),
        longest=8 << 10,
    ),
    Rule(
        id="ddos-guard",
        kind=_WALL,
        why="DDoS-Guard's own title and check script, served by DDoS-Guard.",
        field=("server", r"^ddos-guard"),
        marks=(
            rb"<title>\s*ddos-guard\s*</title>",
            rb"/\.well-known/ddos-guard/|check\.ddos-guard\.net",
        ),
    ),
    Rule(
        id="sucuri-script",
        kind=_WALL,
        why="The variable and the title of Sucuri's cookie script, which is the whole page.",
        marks=(rb"sucuri_cloudproxy_js\s*=", rb"<title>\s*you are being redirected"),
        longest=8 << 10,
    ),
    Rule(
        id="sucuri-blocked",
        kind=_DENIAL,
        why="The title of Sucuri's denial page.",
        statuses=(403,),
        marks=(rb"<title>\s*(sucuri website firewall|access denied - sucuri website firewall)",),
    ),
    Rule(
        id="anubis",
        kind=_WALL,
        why="The element that carries Anubis's proof-of-work task.",
        marks=(rb"<script[^>]{1,80}id=[\"']anubis_challenge[\"']",),
    ),
    Rule(
        id="go-away",
        kind=_WALL,
        why="The address of go-away's challenges, in a page that is little more.",
        marks=(rb"/\.well-known/\.[a-z0-9./_-]{1,80}/go-away/",),
        longest=32 << 10,
    ),
    Rule(
        id="wikimedia-policy",
        kind=_DENIAL,
        why="Wikimedia's short refusal, which gives the address of its robot policy.",
        statuses=(403, 429),
        marks=(rb"robot policy https://w\.wiki/4wjs",),
        longest=8 << 10,
    ),
    Rule(
        id="fastly",
        kind=_WALL,
        why="The title of Fastly's client challenge and the address of its parts.",
        marks=(rb"<title>\s*client challenge\s*</title>", rb"/_fs-ch-"),
    ),
    Rule(
        id="vercel",
        kind=_WALL,
        why="Vercel states in this field that its firewall answered.",
        field=("x-vercel-mitigated", r"challenge|deny"),
    ),
    Rule(
        id="siteground",
        kind=_WALL,
        why="SiteGround states in this field that it answered with a captcha.",
        field=("sg-captcha", r"challenge"),
    ),
    Rule(
        id="siteground-refresh",
        kind=_WALL,
        why="A page that does nothing but lead on to SiteGround's captcha.",
        marks=(rb"<meta[^>]{1,40}refresh[^>]{1,80}/\.well-known/(sg)?captcha/",),
        longest=4 << 10,
    ),
    Rule(
        id="imunify360",
        kind=_WALL,
        why="Imunify360's WebShield answered itself, with its check or captcha.",
        field=("server", r"^imunify360-webshield"),
        marks=(rb"wsidchk|im360_captcha|<title>\s*one moment, please",),
        longest=32 << 10,
    ),
    Rule(
        id="litespeed",
        kind=_WALL,
        why="The form of LiteSpeed's reCAPTCHA page, which leads to an address of its own.",
        marks=(rb"<form[^>]{1,200}/\.lsrecap/recaptcha",),
        longest=32 << 10,
    ),
    Rule(
        id="f5-challenge",
        kind=_WALL,
        why="The words that F5 shows where its challenge script does not run, with the script, "
        "over an empty body.",
        marks=(
            rb"/tspd/[0-9a-f]{8}",
            rb"please enable javascript to view the page content",
            rb"<body>\s*</body>",
        ),
    ),
    Rule(
        id="f5-rejected",
        kind=_DENIAL,
        why="The title and support number of F5's refusal, which comes with status 200.",
        marks=(rb"<title>\s*request rejected\s*</title>", rb"your support id is"),
        longest=4 << 10,
    ),
    Rule(
        id="reblaze",
        kind=_WALL,
        why="The object and the call of Reblaze's challenge.",
        marks=(rb"window\.rbzns\s*=", rb"\bwinsocks\("),
    ),
    Rule(
        id="radware",
        kind=_WALL,
        why="Radware sends clients that it takes for robots to these hosts.",
        led_to=r"https?://(validate|captcha)\.perfdrive\.com/",
    ),
    Rule(
        id="wordfence",
        kind=_DENIAL,
        why="Wordfence signs the page on which it says that access is limited.",
        statuses=(403, 503),
        marks=(rb"generated by wordfence", rb"your access to this (site|service) has been"),
    ),
    Rule(
        id="testcookie",
        kind=_WALL,
        why="The decryption that nginx's testcookie module asks for before it sets its cookie; "
        "the script is the whole page.",
        marks=(rb"slowaes\.decrypt\(", rb"tonumbers\(", rb"document\.cookie\s*="),
        longest=4 << 10,
    ),
    Rule(
        id="qrator",
        kind=_WALL,
        why="Qrator's check script, in a page that is little more.",
        marks=(rb"<script[^>]{1,80}/__qrator/qauth",),
        longest=16 << 10,
    ),
    Rule(
        id="servicepipe",
        kind=_WALL,
        why="The address of Servicepipe's check, which the page leads on to.",
        marks=(rb"/exhkqyad\b",),
        longest=16 << 10,
    ),
    Rule(
        id="yandex-captcha",
        kind=_WALL,
        why="Yandex sends clients that it takes for robots to this address of the same host.",
        led_to=r"https?://[^/?#]+/showcaptcha(fast)?\?",
    ),
    Rule(
        id="google-sorry",
        kind=_WALL,
        why="Google sends clients that it takes for robots to this address.",
        led_to=r"https?://(www\.|ipv[46]\.)?google\.[a-z.]+/sorry/",
    ),
    Rule(
        id="amazon-captcha",
        kind=_WALL,
        why="The form of Amazon's captcha page.",
        marks=(rb"<form[^>]{1,80}action=[\"']/errors/validatecaptcha[\"']",),
        longest=16 << 10,
    ),
    Rule(
        id="queue-it",
        kind=_WALL,
        why="The host serves waiting rooms, and redirects led to it.",
        led_to=r"https?://([a-z0-9-]+\.)+queue-it\.net/",
    ),
    Rule(
        id="captcha-page",
        kind=_WALL,
        why="A small page whose whole title says that it checks who is there, with a captcha's "
        "script. A page with a captcha in a form has another title.",
        marks=(_CHECK_TITLES, _CAPTCHAS),
        longest=16 << 10,
        paragraphs=FEW,
    ),
    Rule(
        id="script-and-cookies",
        kind=_WALL,
        why="A small page in which an element says just this: that script and cookies must be on "
        "to go on. An application that needs script alone is no wall.",
        marks=(
            rb">\s*(please )?enable (javascript|js) and (disable any ad ?blocker"
            rb"|cookies to continue)\.?\s*<",
        ),
        longest=16 << 10,
    ),
)
