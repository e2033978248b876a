from django.urls import path

from payments import fake_views, views, webhooks

app_name = "payments"
urlpatterns = [
    path("pay/<int:pk>/", views.pay, name="pay"),
    path("pay/<int:pk>/check/", views.pay_check, name="pay-check"),
    path("pay/<int:pk>/purchase-order/", views.purchase_order, name="purchase-order"),
    path("pay/<int:pk>/receipt/", views.receipt, name="receipt"),
    path("pay/<int:pk>/receipt.pdf", views.receipt_pdf, name="receipt-pdf"),
    path("pay/return/<uuid:public_id>/<str:token>/", views.pay_return, name="pay-return"),
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
    path("pay/fake/<str:ref>/", fake_views.fake_page, name="fake-page"),
    path("purchase-orders/<int:pk>/withdraw/", views.purchase_order_withdraw, name="purchase-order-withdraw"),
    path("purchase-orders/<int:pk>/document/", views.purchase_order_document, name="purchase-order-document"),
]
