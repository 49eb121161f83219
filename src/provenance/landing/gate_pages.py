"""Name the marks of consent and login pages. Pure data.

Consent managers and login forms stand in ordinary pages too. What tells a page that stands in front
of a document is where redirects led, or that the page says it is nothing else.
"""

from __future__ import annotations

from provenance.landing.rule import FEW, Kind, Rule

_CONSENT, _LOGIN = Kind.CONSENT, Kind.LOGIN
_CARRIES_BACK = (
    r"\?([^#]*&)?[a-z_-]*"
    r"(url|uri|from|continue|callback|return|redirect|referr?er|origin|target|next|dest)[a-z_-]*="
)
# Titles of pages that are nothing but a request for consent; none of them heads a cookie policy.
_CONSENT_TITLES = (
    rb"<title>[^<|]{0,40}\b(before you continue|we (value|care about) your privacy|privacy gate"
    rb"|(cookie|consent|privacy) ?wall|consent (required|needed)|your consent, please"
    rb"|accept (our |all )?cookies to continue|zustimmung (erforderlich|notwendig)"
    rb"|einwilligung erforderlich|(mit werbung|werbefrei) weiterlesen|bevor (sie|du) fortf"
    rb"|nous respectons votre vie priv|avant d'acc(\xc3\xa9|\xe9)der|nos importa tu privacidad"
    rb"|antes de (ir|continuar)|prima di continuare|voordat je verdergaat)"
)
_CONSENT_BODY = (
    rb"<body[^>]{1,200}(class|id)=[\"'][^\"'>]{0,80}"
    rb"\b(cookie|consent|privacy)-?_?(wall|gate|page)\b"
)
_WHOLE_PAGE = _CONSENT_TITLES + rb"|" + _CONSENT_BODY
_LOGIN_WORDS = (
    r"(login|log-in|log_in|logon|signin|sign-in|sign_in|signon|sso|authwall|anmelden|anmeldung"
    r"|connexion|iniciar-sesion|accedi|inloggen|servicelogin|denglu)"
)

GATE_PAGES: tuple[Rule, ...] = (
    Rule(
        id="consent-host",
        kind=_CONSENT,
        why="The host serves nothing but consent pages, and redirects led to it.",
        led_to=r"https?://(consent\.(google|youtube|yahoo|aol|forbes)\.[a-z.]+|guce\.[a-z.]+"
        r"|myprivacy\.dpgmedia(group)?\.[a-z]+|choice\.npr\.org|cdn\.privacy-mgmt\.com)/",
    ),
    Rule(
        id="consent-path",
        kind=_CONSENT,
        why="Redirects led to an address whose path names consent and whose query carries the way "
        "back.",
        led_to=r"https?://[^/?#]+/([^?#]*/)?(zustimmung|einwilligung|(gdpr-|cookie-?)?consent"
        r"|(cookie|consent|privacy)-?(wall|gate)|privacidad|consentement)([/.][^?#]*)?"
        + _CARRIES_BACK,
    ),
    Rule(
        id="consent-tcf",
        kind=_CONSENT,
        why="Redirects led to an address under consent/tcf, which names IAB Europe's framework.",
        led_to=r"https?://[^/?#]+/([^?#]*/)?consent/tcf/",
    ),
    Rule(
        id="onetrust-page",
        kind=_CONSENT,
        why="OneTrust's script in a page whose title or body says that consent is all it is for.",
        marks=(
            _WHOLE_PAGE,
            rb"cdn\.cookielaw\.org/|cookie-cdn\.cookiepro\.com/|otsdkstub\.js",
        ),
        longest=48 << 10,
        paragraphs=FEW,
    ),
    Rule(
        id="sourcepoint-page",
        kind=_CONSENT,
        why="Sourcepoint's script in a page whose title or body says that consent is all it is "
        "for.",
        marks=(
            _WHOLE_PAGE,
            rb"privacy-mgmt\.com/|\bsp-prod\.net/|wrappermessagingwithoutdetection\.js|\b_sp_\s*=",
        ),
        longest=48 << 10,
        paragraphs=FEW,
    ),
    Rule(
        id="didomi-page",
        kind=_CONSENT,
        why="Didomi's script in a page whose title or body says that consent is all it is for.",
        marks=(_WHOLE_PAGE, rb"sdk\.privacy-center\.org/|\bdidomiconfig\b"),
        longest=48 << 10,
        paragraphs=FEW,
    ),
    Rule(
        id="usg-notice",
        kind=_CONSENT,
        why="The notice that US government systems show before use, with something to accept it "
        "by, in a page that is little more.",
        marks=(
            rb"you are accessing a u\.s\. government \(usg\)\s{1,40}information\s{1,40}system",
            rb"<(button|a|input)[^>]{0,200}"
            rb"(>\s*|value=[\"'])(i accept|accept|i agree|agree|i consent|consent|ok)\b",
        ),
        longest=16 << 10,
    ),
    Rule(
        id="login-page",
        kind=_LOGIN,
        why="Redirects led to an address whose path says that it asks who is there, and the page "
        "has a field for a password.",
        led_to=r"https?://[^/?#]+/([^?#]*/)?" + _LOGIN_WORDS + r"(\.[a-z]+)?(;[^/?#]*)?/?([?#]|\Z)",
        marks=(rb"<input[^>]{1,300}type\s*=\s*[\"']?password",),
    ),
    Rule(
        id="login-host",
        kind=_LOGIN,
        why="The host or path serves nothing but logins, and redirects led to it.",
        led_to=r"https?://(accounts\.google\.com|login\.(microsoftonline|live|yahoo)\.com"
        r"|login\.microsoftonline\.us|login\.windows\.net|(secure\.)?login\.gov"
        r"|signin\.account\.gov\.uk|(webgate|ecas)\.ec\.europa\.eu/cas|id\.bund\.de"
        r"|app\.franceconnect\.gouv\.fr|[a-z0-9-]+\.okta(-emea|preview)?\.com"
        r"|[a-z0-9.-]+\.auth0\.com|passport\.(weibo|baidu|csdn|jd)\.(com|net)"
        r"|login\.sina\.com\.cn|open\.weixin\.qq\.com/connect|www\.facebook\.com/login"
        r"|www\.instagram\.com/accounts/login|(x|twitter)\.com/i/flow/login"
        r"|([a-z]+\.)?linkedin\.com/(authwall|uas/login|checkpoint))([/?#]|\Z)",
    ),
    Rule(
        id="network-login",
        kind=_LOGIN,
        why="Status 511 comes from a network that wants a login first, never from the server "
        "asked (RFC 6585 §6).",
        statuses=(511,),
    ),
)
