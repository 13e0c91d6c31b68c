from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from accounts.read_only_admin import ReadOnly
from chat.models import Conversation


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, ModelAdmin):
    """That there are conversations, and whose. What is said in them is for those who take part."""

    list_display = ("id", "title", "created_by", "created_at")
    list_display_links = None
    list_select_related = ("created_by",)
    search_fields = ("id", "created_by__username")
    ordering = ("-id",)
    show_full_result_count = False
