"""What is about to happen, on the pages that ask “Is it still you?”. `{% load guards %}`"""

from __future__ import annotations

from django import template
from django.http import HttpRequest

from onboarding.people import guards

register = template.Library()


@register.simple_tag(takes_context=True)
def about_to(context: dict[str, HttpRequest]) -> str:
    return guards.doing(context["request"])
