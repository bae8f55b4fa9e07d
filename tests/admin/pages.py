"""The admin as a browser uses it: load a page, read its form, change fields, send it back."""

from html.parser import HTMLParser
from typing import Any

from django.urls import reverse


class _Form(HTMLParser):
    """The successful controls of the form that holds `_save` or `post`, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[dict[str, list[str]]] = []
        self._select = self._area = ""
        self._option: str | None = None
        self._text: list[str] = []
        self._first = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = dict(attrs)
        if tag == "form":
            self.forms.append({})
        if not self.forms or "disabled" in a:
            return
        name = a.get("name") or ""
        if tag == "input" and name:
            kind = a.get("type", "text")
            if kind in ("checkbox", "radio") and "checked" not in a:
                return
            if kind in ("submit", "button", "file"):
                return
            self._add(name, a.get("value") or ("on" if kind == "checkbox" else ""))
        elif tag == "select":
            self._select, self._first = name, "multiple" not in a
        elif tag == "option" and self._select and "selected" in a:
            self._add(self._select, a.get("value") or "")
        elif tag == "textarea":
            self._area, self._text = name, []

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area:
            text = "".join(self._text)
            self._add(self._area, text.removeprefix("\r\n").removeprefix("\n").replace("\n", "\r\n"))
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)

    def _add(self, name: str, value: str) -> None:
        self.forms[-1].setdefault(name, []).append(value)


def form_of(html: str, having: str = "csrfmiddlewaretoken", *, also: str = "") -> dict[str, list[str]]:
    """The fields of the form that has this field (and the other one)."""
    reader = _Form()
    reader.feed(html)
    for form in reader.forms:
        if having in form and (not also or also in form):
            return form
    raise AssertionError(f"no form with {having} {also}: {[sorted(f)[:12] for f in reader.forms]}")


def address(row: Any, view: str = "change") -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{view}", args=[row.pk])


def list_address(model: Any, view: str = "changelist") -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}")


def main_form(html: str, model: Any) -> dict[str, list[str]]:
    """The change or add form of a page."""
    start = html.index(f'id="{model._meta.model_name}_form"')
    opening = html.rindex("<form", 0, start)
    return form_of(html[opening : html.index("</form>", start)])


def opened(client: Any, url: str, model: Any) -> dict[str, list[str]]:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return main_form(answer.content.decode(), model)


def errors_of(answer: Any) -> str:
    """What the form says is wrong; empty when it was saved."""
    if answer.status_code == 302:
        return ""
    context = answer.context_data
    found = [str(context["adminform"].form.errors.get_json_data())]
    found += [str(f.formset.errors) for f in context["inline_admin_formsets"]]
    return " ".join(found)
