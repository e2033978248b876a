from django.urls import path

from payments import order_views, quote_views, views, webhooks

app_name = "payments"
LINK = "quotes/<uuid:public_id>/<str:token>/"
urlpatterns = [
    path("pay/<int:pk>/", views.pay, name="pay"),
    path("pay/<int:pk>/check/", views.pay_check, name="pay-check"),
    path("pay/<int:pk>/purchase-order/", order_views.purchase_order, name="purchase-order"),
    path("pay/<int:pk>/purchase-order/upload/", order_views.purchase_order_upload, name="purchase-order-upload"),
    path("pay/<int:pk>/quote/", order_views.quote_for, name="quote-for"),
    path("pay/<int:pk>/give-up-seat/", order_views.seat_give_up, name="seat-give-up"),
    path("pay/<int:pk>/receipt/", views.receipt, name="receipt"),
    path("pay/<int:pk>/receipt.pdf", views.receipt_pdf, name="receipt-pdf"),
    path("pay/return/<uuid:public_id>/<str:token>/", views.pay_return, name="pay-return"),
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
    path("purchase-orders/<int:pk>/withdraw/", order_views.purchase_order_withdraw, name="purchase-order-withdraw"),
    path("purchase-orders/<int:pk>/document/", order_views.purchase_order_document, name="purchase-order-document"),
    path("invoices/<int:pk>/document/", order_views.invoice_document, name="invoice-document"),
    path("credit-notes/<int:pk>/document/", order_views.credit_note_document, name="credit-note-document"),
    path("w-9/", order_views.w9, name="w9"),
    path("quotes/new/", quote_views.quote_new, name="quote-new"),
    path("quotes/sent/", quote_views.quote_sent, name="quote-sent"),
    path(LINK, quote_views.quote, name="quote"),
    path(f"{LINK}order/", quote_views.quote_order, name="quote-order"),
    path(f"{LINK}withdraw/", quote_views.quote_withdraw, name="quote-withdraw"),
    path(f"{LINK}papers/<str:paper>.pdf", quote_views.quote_paper, name="quote-paper"),
    path(f"{LINK}seats/<int:seat>/give-back/", quote_views.quote_seat_release, name="quote-seat-release"),
]
