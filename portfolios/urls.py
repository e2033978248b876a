from django.urls import path

from portfolios.views import consents, entries, media, receipts, uploads

app_name = "portfolios"

urlpatterns = [
    path("entries/", entries.entry_list, name="entry-list"),
    path("entries/start/<int:number>/", entries.entry_start, name="entry-start"),
    path("entries/<int:pk>/", entries.entry_detail, name="entry-detail"),
    path("entries/<int:pk>/submit/", entries.entry_submit, name="entry-submit"),
    path("entries/<int:pk>/reopen/", entries.entry_reopen, name="entry-reopen"),
    path("entries/<int:pk>/files/<int:requirement_id>/", uploads.file_add, name="file-add"),
    path("receipts/", receipts.receipt_verify, name="receipt-verify"),
    path("receipts/<slug:code>/", receipts.receipt, name="receipt"),
    path("receipts/<slug:code>/receipt.json", receipts.receipt_download, name="receipt-download"),
    path("uploads/", uploads.upload_create, name="upload-create"),
    path("uploads/<uuid:pk>/", uploads.upload_detail, name="upload-detail"),
    path("uploads/<uuid:pk>/sign", uploads.upload_sign, name="upload-sign"),
    path("uploads/<uuid:pk>/relay/<int:number>", uploads.upload_relay, name="upload-relay"),
    path("uploads/<uuid:pk>/complete", uploads.upload_complete, name="upload-complete"),
    path("uploads/<uuid:pk>/remove/", uploads.upload_remove, name="upload-remove"),
    path("uploads/<uuid:pk>/consent/", consents.upload_consent, name="upload-consent"),
    path("uploads/<uuid:pk>/withdraw/<slug:purpose>/", consents.upload_withdraw, name="upload-withdraw"),
    path("uploads/<uuid:pk>/confirm/", uploads.upload_confirm, name="upload-confirm"),
    path("uploads/<uuid:pk>/captions/", media.upload_captions, name="upload-captions"),
    path("uploads/part/<str:token>", uploads.upload_part, name="upload-part"),
    path("media/<uuid:pk>/", media.media_watch, name="media-watch"),
    path("media/<uuid:pk>/video/", media.media_video, name="media-video"),
    path("media/<uuid:pk>/document/", media.media_document, name="media-document"),
    path("media/<uuid:pk>/poster/", media.media_poster, name="media-poster"),
    path("media/<uuid:pk>/captions/", media.media_captions, name="media-captions"),
]
