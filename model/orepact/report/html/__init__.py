"""The report as one self-contained HTML file: no file, font or address outside it is ever asked for.

Everything that an instance says is text: the template escapes it, and a content security policy lets the browser run nothing but
the scripts whose digests stand in the page's head, so that even a script that slipped through would stay text.
"""

from orepact.report.html.render import html_page

__all__ = ["html_page"]
