from django.urls import path

from scoring.views import (
    agreement,
    benchmarks,
    board,
    calibration,
    certificates,
    impartiality,
    media,
    qualifications,
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
    path("scoring/sheets/<int:pk>/time/", sheet.sheet_time, name="sheet-time"),
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
    # Measuring scorers: their own calibration; benchmarks and qualifications for leads and staff
    path("scoring/calibration/", calibration.calibration_list, name="calibration-list"),
    path("scoring/calibration/<int:number>/begin/", calibration.calibration_begin, name="calibration-begin"),
    path("scoring/calibration/sheets/<int:pk>/", calibration.calibration_feedback, name="calibration-feedback"),
    path("scoring/benchmarks/", benchmarks.benchmark_list, name="benchmark-list"),
    path("scoring/benchmarks/new/", benchmarks.benchmark_new, name="benchmark-new"),
    path("scoring/benchmarks/<int:pk>/", benchmarks.benchmark, name="benchmark"),
    path("scoring/benchmarks/<int:pk>/write/", benchmarks.benchmark_write, name="benchmark-write"),
    path("scoring/benchmarks/<int:pk>/retire/", benchmarks.benchmark_retire, name="benchmark-retire"),
    path("scoring/references/<int:pk>/sign/", benchmarks.benchmark_sign, name="benchmark-sign"),
    path("scoring/qualifications/", qualifications.qualification_list, name="qualification-list"),
    path("scoring/qualifications/<int:pk>/<int:number>/", qualifications.qualification_of, name="qualification-of"),
]
