from django.urls import path

from scoring.views import agreement, board, certificates, gate, impartiality, media, queue, release, results, sheet

app_name = "scoring"

urlpatterns = [
    # Release (staff)
    path("release/", release.release_list, name="release-list"),
    path("release/<int:pk>/", release.release_detail, name="release"),
    path("release/<int:pk>/prepare/", release.release_prepare, name="release-prepare"),
    path("release/<int:pk>/approve/", release.release_approve, name="release-approve"),
    path("release/<int:pk>/withdraw/", release.release_withdraw, name="release-withdraw"),
    path("release/<int:pk>/check/", release.release_check, name="release-check"),
    path("release/<int:pk>/dry-run/", release.release_outcomes, name="release-outcomes"),
    path("release/<int:pk>/candidates/<slug:code>/", gate.release_candidate, name="release-candidate"),
    path("release/<int:pk>/candidates/<slug:code>/preview/", gate.release_preview, name="release-preview"),
    path("release/<int:pk>/candidates/<slug:code>/hold/", gate.release_hold, name="release-hold"),
    path("release/<int:pk>/candidates/<slug:code>/lift/", gate.release_lift, name="release-lift"),
    path("release/<int:pk>/candidates/<slug:code>/except/<slug:rule>/", gate.release_except, name="release-except"),
    path(
        "release/<int:pk>/candidates/<slug:code>/exceptions/<int:exception>/withdraw/",
        gate.release_unexcept,
        name="release-unexcept",
    ),
    # Results and certificates (candidates; verification is public)
    path("results/", results.result_list, name="result-list"),
    path("results/<int:pk>/", results.result_detail, name="result-detail"),
    path("results/<int:pk>/<slug:code>/", results.result_of, name="result-of"),
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
