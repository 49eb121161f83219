"""Hold the rules for pages that say, with a status of success, that they are not there. Pure data.

A rule in words holds whole titles and whole headings, never words inside a text: an article about
such pages has those in its sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

_NOTICE = 1200
_DENSE_NOTICE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFoundRule:
    """A rule gives one of these.

    `phrases`: one of them is the whole title (up to the site's name) or a whole first-level
    heading, in a page with at most `prose` characters in paragraphs. `element`: (name, attribute,
    pattern in its value) of an element; a `meta` element's name counts as attribute, with its
    content. `led_to`: redirects led to a path of this pattern that the address asked for has not;
    with `from_deep`, from deep in the same site, and no query is left.
    """

    id: str
    why: str
    phrases: tuple[str, ...] = ()
    prose: int = _NOTICE
    element: tuple[str, str, str] | None = None
    led_to: str | None = None
    from_deep: bool = False


def _said(language: str, name: str, *phrases: str, prose: int = _NOTICE) -> NotFoundRule:
    return NotFoundRule(
        id=f"said-{language}",
        why=f"The whole title, or the whole heading, says {name} that the page is not there.",
        phrases=phrases,
        prose=prose,
    )


MARKED = (
    NotFoundRule(
        id="stated-status",
        why="The page states the status 404 or 410 for programs that render it.",
        element=("meta", "prerender-status-code", r"^\s*(404|410)\b"),
    ),
    NotFoundRule(
        id="next-not-found",
        why="Next.js marks a page that turned out not to exist after its status was sent.",
        element=("template", "data-dgst", r"^NEXT_(HTTP_ERROR_FALLBACK;404|NOT_FOUND)\b"),
    ),
    NotFoundRule(
        id="wordpress-404",
        why="WordPress gives this class to the body of its page for addresses without content.",
        element=("body", "class", r"(^|\s)error404(\s|$)"),
    ),
    NotFoundRule(
        id="missing-children-404",
        why="The script of a page about missing children that sites in China show in place of a "
        "404 page.",
        element=("script", "src", r"/404/(search_children|latest/404)\.js"),
    ),
)
"""Rules by what a page is marked with."""

SAID = (
    _said(
        "en",
        "in English",
        *("page not found", "404 page not found", "error 404 page not found", "not found"),
        *("404 error page not found", "page not found 404", "page cannot be found"),
        *("page can't be found", "the page cannot be found", "the page can't be found"),
        *("that page can't be found", "oops that page can't be found", "oops page not found"),
        *("sorry page not found", "sorry we can't find that page", "we can't find that page"),
        *("we couldn't find that page", "we can't find the page you're looking for"),
        *("sorry we couldn't find that page", "this page isn't available"),
        *("sorry this page isn't available", "this page is not available"),
        *("this page is no longer available", "page no longer available", "page unavailable"),
        *("this page does not exist", "this page doesn't exist", "page does not exist"),
        *("page doesn't exist", "this page could not be found", "page could not be found"),
        *("the page could not be found", "the page was not found"),
        *("the page you requested could not be found", "the page you requested was not found"),
        *("the requested page could not be found", "the requested page was not found"),
        *("the page you are looking for could not be found", "requested page not found"),
        *("the page you are looking for cannot be found", "document not found"),
        *("the page you are looking for does not exist", "file not found", "content not found"),
        *("file or directory not found", "article not found", "resource not found"),
        *("object not found", "the resource cannot be found", "item not found"),
    ),
    _said(
        "zh-hans",
        "in Chinese (simplified characters)",
        *("页面不存在", "该页面不存在", "此页面不存在", "404页面不存在", "您访问的页面不存在"),
        *("您要访问的页面不存在", "您请求的页面不存在", "您查看的页面不存在", "访问的页面不存在"),
        *("您访问的页面不存在或已删除", "页面不存在或已删除", "页面不存在或已被删除"),
        *("抱歉您访问的页面不存在", "很抱歉您访问的页面不存在", "对不起您访问的页面不存在"),
        *("抱歉页面不存在", "很抱歉您要访问的页面不存在", "抱歉您要访问的页面不存在"),
        *("页面未找到", "未找到页面", "找不到页面", "无法找到页面", "无法找到该页", "找不到网页"),
        *("您访问的页面找不到了", "页面找不到了", "页面丢失了", "页面走丢了", "页面已删除"),
        *("网页不存在", "您访问的网页不存在", "您访问的内容不存在", "内容不存在", "文章不存在"),
        *("文章不存在或已删除", "内容不存在或已删除", "404页面", "404错误", "404错误页面"),
        *("404未找到", "404找不到页面", "404您访问的页面不存在", "信息不存在", "栏目不存在"),
        prose=_DENSE_NOTICE,
    ),
    NotFoundRule(
        id="said-removed-zh-hans",
        why="The whole title, or the whole heading, says in Chinese that the content was removed "
        "or cannot be shown.",
        phrases=(
            *("该内容已被发布者删除", "此内容已被发布者删除", "该内容已被删除", "文章已被删除"),
            *("内容已被删除", "此内容因违规无法查看", "该内容无法查看", "此内容无法查看"),
        ),
        prose=_DENSE_NOTICE,
    ),
    _said(
        "zh-hant",
        "in Chinese (traditional characters)",
        *("頁面不存在", "該頁面不存在", "此頁面不存在", "404頁面不存在", "您訪問的頁面不存在"),
        *("您要找的頁面不存在", "您尋找的頁面不存在", "您所瀏覽的頁面不存在", "找不到頁面"),
        *("您要瀏覽的頁面不存在", "很抱歉您要找的頁面不存在", "抱歉找不到頁面", "找不到此頁面"),
        *("找不到網頁", "找不到您要的網頁", "網頁不存在", "無法找到該網頁", "查無此頁"),
        *("404找不到網頁", "404找不到頁面", "404頁面", "404錯誤", "抱歉找不到您要的頁面"),
        prose=_DENSE_NOTICE,
    ),
    _said(
        "fr",
        "in French",
        *("page non trouvée", "page introuvable", "404 page non trouvée", "404 page introuvable"),
        *("erreur 404", "erreur 404 page non trouvée", "erreur 404 page introuvable"),
        *("cette page n'existe pas", "cette page n'existe plus", "la page n'existe pas"),
        *("la page demandée n'existe pas", "la page demandée est introuvable"),
        *("la page que vous recherchez n'existe pas", "la page que vous cherchez n'existe pas"),
        *("la page que vous recherchez est introuvable", "cette page est introuvable"),
        *("oups cette page est introuvable", "page inexistante", "document introuvable"),
        *("contenu introuvable", "ressource introuvable", "fichier introuvable", "non trouvé"),
        *("article introuvable", "page indisponible", "page non disponible"),
    ),
    _said(
        "de",
        "in German",
        *("seite nicht gefunden", "404 seite nicht gefunden", "fehler 404", "404 fehler"),
        *("fehler 404 seite nicht gefunden", "die seite wurde nicht gefunden"),
        *("seite wurde nicht gefunden", "diese seite wurde nicht gefunden"),
        *("diese seite existiert nicht", "diese seite existiert nicht mehr"),
        *("die angeforderte seite wurde nicht gefunden", "seite existiert nicht"),
        *("die gesuchte seite wurde nicht gefunden", "die seite existiert nicht"),
        *("die gewünschte seite wurde nicht gefunden", "dokument nicht gefunden"),
        *("die von ihnen gesuchte seite wurde nicht gefunden", "inhalt nicht gefunden"),
        *("artikel nicht gefunden", "nicht gefunden", "seite nicht verfügbar"),
    ),
    _said(
        "es",
        "in Spanish",
        *("página no encontrada", "404 página no encontrada", "error 404 página no encontrada"),
        *("no se encontró la página", "no se ha encontrado la página", "la página no existe"),
        *("esta página no existe", "la página solicitada no existe", "página no existe"),
        *("la página que busca no existe", "la página que buscas no existe", "no encontrado"),
        *("la página solicitada no se ha encontrado", "no se pudo encontrar la página"),
        *("no encontramos la página que buscas", "página no disponible", "no encontrada"),
        *("documento no encontrado", "contenido no encontrado", "artículo no encontrado"),
    ),
    _said(
        "ru",
        "in Russian",
        *("страница не найдена", "404 страница не найдена", "страница не найдена 404"),
        *("ошибка 404", "ошибка 404 страница не найдена", "404 ошибка", "не найдено"),
        *("такой страницы не существует", "страница не существует", "такой страницы нет"),
        *("запрашиваемая страница не найдена", "запрошенная страница не найдена"),
        *("запрашиваемая страница не существует", "данная страница не найдена"),
        *("к сожалению страница не найдена", "страница отсутствует", "страница удалена"),
        *("документ не найден", "материал не найден", "извините страница не найдена"),
    ),
    _said(
        "ar",
        "in Arabic",
        *("الصفحة غير موجودة", "صفحة غير موجودة", "هذه الصفحة غير موجودة", "خطأ 404"),
        *("لم يتم العثور على الصفحة", "لم يتم العثور على هذه الصفحة", "404 الصفحة غير موجودة"),
        *("الصفحة المطلوبة غير موجودة", "عذرا الصفحة المطلوبة غير موجودة", "الصفحة غير متاحة"),
        *("عذرا الصفحة غير موجودة", "عفوا الصفحة غير موجودة", "الصفحة غير متوفرة"),
        *("الصفحة التي تبحث عنها غير موجودة", "عذرا الصفحة التي تبحث عنها غير موجودة"),
    ),
    _said(
        "pt",
        "in Portuguese",
        *("página não encontrada", "404 página não encontrada", "erro 404", "não encontrado"),
        *("erro 404 página não encontrada", "a página não foi encontrada", "a página não existe"),
        *("esta página não existe", "a página solicitada não foi encontrada"),
        *("a página que procura não existe", "conteúdo não encontrado", "página inexistente"),
    ),
    _said(
        "it",
        "in Italian",
        *("pagina non trovata", "404 pagina non trovata", "errore 404", "la pagina non esiste"),
        *("errore 404 pagina non trovata", "questa pagina non esiste", "pagina non disponibile"),
        *("la pagina richiesta non esiste", "la pagina richiesta non è stata trovata"),
        *("la pagina cercata non esiste", "documento non trovato", "contenuto non trovato"),
    ),
    _said(
        "nl",
        "in Dutch",
        *("pagina niet gevonden", "404 pagina niet gevonden", "fout 404", "pagina bestaat niet"),
        *("deze pagina bestaat niet", "deze pagina bestaat niet meer", "niet gevonden"),
        *("de pagina is niet gevonden", "de pagina die u zoekt bestaat niet"),
    ),
    _said(
        "pl",
        "in Polish",
        *("nie znaleziono strony", "404 nie znaleziono strony", "strona nie istnieje"),
        *("błąd 404", "strona nie została znaleziona", "nie ma takiej strony"),
        *("strona o podanym adresie nie istnieje", "strona nieznaleziona", "nie znaleziono"),
    ),
    _said(
        "uk",
        "in Ukrainian",
        *("сторінку не знайдено", "404 сторінку не знайдено", "сторінка не знайдена"),
        *("помилка 404", "помилка 404 сторінку не знайдено", "такої сторінки не існує"),
        *("сторінки не існує", "сторінка не існує"),
    ),
    _said(
        "tr",
        "in Turkish",
        *("sayfa bulunamadı", "404 sayfa bulunamadı", "aradığınız sayfa bulunamadı", "hata 404"),
        *("sayfa mevcut değil", "böyle bir sayfa yok", "aradığınız sayfaya ulaşılamıyor"),
    ),
    _said(
        "fa",
        "in Persian",
        *("صفحه یافت نشد", "صفحه مورد نظر یافت نشد", "صفحه پیدا نشد", "خطای 404"),
        *("صفحه مورد نظر پیدا نشد",),
    ),
    _said(
        "ja",
        "in Japanese",
        *("ページが見つかりません", "ページが見つかりませんでした", "このページは存在しません"),
        *("お探しのページが見つかりません", "お探しのページは見つかりませんでした"),
        *("お探しのページは見つかりません", "お探しのページは存在しません", "404エラー"),
        *("指定されたページが見つかりません", "指定されたページは存在しません"),
        *("ご指定のページが見つかりません", "ページが存在しません", "404ページが見つかりません"),
        prose=_DENSE_NOTICE,
    ),
    _said(
        "ko",
        "in Korean",
        *("페이지를 찾을 수 없습니다", "요청하신 페이지를 찾을 수 없습니다", "404 오류"),
        *("존재하지 않는 페이지입니다", "페이지가 존재하지 않습니다", "찾을 수 없는 페이지입니다"),
        *("404 페이지를 찾을 수 없습니다", "요청하신 페이지가 존재하지 않습니다"),
        prose=_DENSE_NOTICE,
    ),
    _said(
        "id",
        "in Indonesian or Malay",
        *("halaman tidak ditemukan", "404 halaman tidak ditemukan", "laman tidak ditemukan"),
        *("halaman yang anda cari tidak ditemukan", "halaman tidak ditemui"),
    ),
    _said(
        "vi",
        "in Vietnamese",
        *("không tìm thấy trang", "404 không tìm thấy trang", "trang không tồn tại"),
        *("trang bạn tìm không tồn tại",),
    ),
    _said(
        "number",
        "by its number",
        *("404", "404 error", "error 404", "http 404", "http error 404", "404 not found"),
        *("http 404 not found", "error 404 not found", "404 error page", "not found 404"),
    ),
)
"""Rules by what a page says, the number alone last."""

LED = (
    NotFoundRule(
        id="led-to-error-page",
        why="Redirects led to an address whose last part names the error.",
        led_to=r"(.*/)?(error[-_]?)?(404|(page|file)?[-_]?not[-_]?found)([-_]?(error|page))?"
        r"(\.[a-z]{2,5})?/?\Z",
    ),
    NotFoundRule(
        id="led-to-root",
        why="Redirects led from an address deep in the site to the site's root.",
        led_to=r"/?\Z|/([a-z]{2}(-[a-z]{2,4})?/?)?((index|default|home)\.[a-z]{2,5})?\Z",
        from_deep=True,
    ),
)
"""Rules by where redirects led."""

RULES: tuple[NotFoundRule, ...] = MARKED + SAID + LED
"""Every rule, in the order in which they are asked."""
