from django.urls import path

from accounts import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/<str:token>/", views.sign_in_link, name="sign_in_link"),
    path("admin/login/", views.admin_sign_in),  # before the admin's own
    path("sign-out/", views.sign_out, name="sign_out"),
    path("settings/", views.settings_page, name="settings"),
    path("settings/password/", views.set_password, name="set_password"),
    path("settings/sessions/<uuid:session_id>/end/", views.sign_out_session, name="sign_out_session"),
    path("settings/sessions/end-others/", views.sign_out_others, name="sign_out_others"),
    path("settings/tokens/", views.create_token, name="create_token"),
    path("settings/tokens/<uuid:token_id>/revoke/", views.end_token, name="revoke_token"),
]
