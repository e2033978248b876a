from django.urls import path

from candidates import views

app_name = "candidates"

urlpatterns = [
    path("register/", views.register, name="register"),
    path("registrations/<int:pk>/", views.registration_detail, name="registration-detail"),
    path("registrations/<int:pk>/withdraw/", views.registration_withdraw, name="registration-withdraw"),
    path("evidence/<int:pk>/", views.evidence_answer, name="evidence-answer"),
    path("evidence/<int:pk>/document/", views.evidence_document, name="evidence-document"),
    path("profile/", views.profile_change, name="profile-change"),
]
