"""Hold the commented example collection that a new archive root begins with. Pure."""

from typing import Final

EXAMPLE_COLLECTION: Final = """\
# An example collection: one news article and two documents that bear on it.
#
# Rename this file, change what it says, and add one [[document]] for each document you want to
# keep. Everything here is invented; the addresses are commented out, so that `provenance fetch`
# asks for nothing until you give one. A document without url is "wanted": it is listed, and
# skipped when fetching.

[collection]
id = "example"                      # a-z, 0-9 and -; part of the names of WARC files
title = "The harbour bridge, an example"
about = "A newspaper article on a harbour bridge, and two documents that bear on it."
# allow_networks = ["10.1.0.0/16"]  # private networks that this collection may be fetched from

[[document]]
id = "bridge-article"               # unique in the archive root; never change it afterwards
title = "Council votes on the harbour bridge"
role = "source"                     # source | official | independent
publisher = "The Example Gazette"
# state-media | government | intergovernmental | ngo | academic | journalism | industry | private
publisher_kind = "journalism"
author = "A. Writer"
published = 2024-03-05              # a day; or in quotes "2024-03" or "2024"
language = "en"                     # a language tag: en, zh-Hans, pt-BR
# url = "https://www.example.com/news/harbour-bridge"
# url_status = "confirmed"          # confirmed: seen cited elsewhere | recalled: from memory
media_type = "text/html"            # what you expect to get; optional
note = "The article whose statements the other documents bear on."

# Another address of the document. It is fetched only with `provenance fetch --alternates`.
# [[document.alternate]]
# url = "https://news.example.org/reprint/harbour-bridge"
# role = "republication"    # or same-document-other-address, record, report-or-related
# status = "confirmed"

[[document]]
id = "bridge-minutes"
title = "Minutes of the council meeting"
role = "official"
publisher = "Example Town Council"
publisher_kind = "government"
published = 2024-03-04
language = "en"
# url = "https://council.example.org/minutes/2024-03-04.pdf"
media_type = "application/pdf"

[[document]]
id = "bridge-study"
title = "Loads on the harbour bridge"
title_status = "descriptive"        # confirmed | recalled | descriptive | not-recovered
role = "independent"
publisher = "Example Institute of Structures"
publisher_kind = "academic"
published = "2023"
language = "en"
# url = "https://institute.example.org/studies/harbour-bridge"

# How this document stands to another one of this archive root:
# cites | responds-to | reports-on | version-of | translation-of | part-of | related-to
[[document.relation]]
kind = "related-to"
document = "bridge-minutes"
note = "The minutes name the study."
"""
