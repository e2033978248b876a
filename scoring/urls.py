from django.urls import path

from scoring.views import (
    agreement,
    appeals,
    board,
    certificates,
    corrections,
    impartiality,
    media,
    notices,
    queue,
    release,
    results,
    retakes,
    sheet,
)

app_name = "scoring"

urlpatterns = [
    # Release (staff)
    path("release/", release.release_list, name="release-list"),
    path("release/<int:pk>/", release.release_detail, name="release"),
    path("release/<int:pk>/prepare/", release.release_prepare, name="release-prepare"),
    path("release/<int:pk>/approve/", release.release_approve, name="release-approve"),
    path("release/<int:pk>/withdraw/", release.release_withdraw, name="release-withdraw"),
    # Results and certificates (candidates; verification is public)
    path("results/", results.result_list, name="result-list"),
    path("results/<int:pk>/", results.result_detail, name="result-detail"),
    path("results/<int:pk>/<slug:code>/", results.result_of, name="result-of"),
    # What may still change about them: appeals, corrections; and the final notice
    path("results/<int:pk>/factor/<int:number>/", appeals.appeal, name="appeal"),
    path("notices/<int:pk>/notice.pdf", notices.notice_pdf, name="notice-pdf"),
    path("results/<int:pk>/<slug:code>/correct/", corrections.correction_propose, name="correction-propose"),
    path("results/versions/<int:pk>/", corrections.result_version, name="result-version"),
    path("retakes/", retakes.retake_list, name="retake-list"),
    path("notices/<int:pk>/", notices.notice, name="notice"),
    path("appeals/", appeals.appeal_list, name="appeal-list"),
    path("appeals/<int:pk>/", appeals.appeal_detail, name="appeal-detail"),
    path("appeals/<int:pk>/withdraw/", appeals.appeal_withdraw, name="appeal-withdraw"),
    path("appeals/<int:pk>/letter.pdf", appeals.appeal_letter, name="appeal-letter"),
    path("corrections/", corrections.correction_list, name="correction-list"),
    path("corrections/<int:pk>/", corrections.correction, name="correction"),
    path("corrections/<int:pk>/withdraw/", corrections.correction_withdraw, name="correction-withdraw"),
    path("certificates/<str:code>/certificate.pdf", certificates.certificate, name="certificate"),
    path("verify/", certificates.verify_form, name="verify-form"),
    path("verify/<str:code>/", certificates.verify, name="verify"),
    path("ties/", impartiality.tie_list, name="tie-list"),
    path("scoring/", queue.queue, name="queue"),
    path("scoring/statement/<int:year>/", impartiality.statement, name="statement"),
    path("scoring/sheets/<int:pk>/", sheet.sheet, name="sheet"),
    path("scoring/sheets/<int:pk>/finalise/", sheet.sheet_finalise, name="sheet-finalise"),
    path("scoring/sheets/<int:pk>/recuse/", sheet.sheet_recuse, name="sheet-recuse"),
    path("scoring/sheets/<int:pk>/media/<uuid:upload>/", media.sheet_media, name="sheet-media"),
    path("scoring/sheets/<int:pk>/media/<uuid:upload>/poster/", media.sheet_poster, name="sheet-poster"),
    path("scoring/sheets/<int:pk>/media/<uuid:upload>/captions/", media.sheet_captions, name="sheet-captions"),
    path("scoring/board/", board.board, name="board"),
    path("scoring/board/<int:year>/assign/", board.board_assign, name="board-assign"),
    path("scoring/agreement/", agreement.agreement, name="agreement"),
    path("scoring/agreement/<int:year>/", agreement.agreement_of, name="agreement-of"),
    path("scoring/agreement/<int:year>/pairs.csv", agreement.agreement_pairs, name="agreement-pairs"),
    path("scoring/board/entry/<int:pk>/<slug:role>/", board.board_by_hand, name="board-by-hand"),
]
