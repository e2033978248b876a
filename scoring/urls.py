from django.urls import path

from scoring.views import (
    agreement,
    badges,
    board,
    certificates,
    directory,
    holder,
    impartiality,
    media,
    queue,
    release,
    results,
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
    path("results/planner/", results.planner, name="planner"),
    path("results/<int:pk>/", results.result_detail, name="result-detail"),
    path("results/<int:pk>/report.pdf", results.result_paper, name="result-paper"),
    path("results/<int:pk>/<slug:code>/", results.result_of, name="result-of"),
    path("results/<int:pk>/<slug:code>/report.pdf", results.result_paper_of, name="result-paper-of"),
    path("certificates/", holder.certificate_list, name="certificate-list"),
    path("certificates/<str:code>/certificate.pdf", holder.certificate, name="certificate"),
    path("certificates/<str:code>/badge.jwt", holder.badge, name="badge"),
    path("verify/", certificates.verify_form, name="verify-form"),
    path("verify/<str:code>/", certificates.verify, name="verify"),
    path("directory/", directory.directory, name="directory"),
    # What others' software asks of a badge. These addresses stand in every badge ever issued: they stay as they are.
    path("badges/issuer/", badges.badge_issuer, name="badge-issuer"),
    path("badges/achievement/", badges.badge_achievement, name="badge-achievement"),
    path("badges/status/<int:number>/", badges.badge_status, name="badge-status"),
    path("badges/keys/<str:kid>/", badges.badge_key, name="badge-key"),
    path("badges/<str:code>/", badges.badge_public, name="badge-public"),
    path(".well-known/jwks.json", badges.badge_keys, name="badge-keys"),
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
