from django.urls import path

from shots.views import confirm, naming, prompts, scenario, shots

app_name = "shots"
urlpatterns = [
    path("projects/<str:code>/scenario/", scenario.scenario, name="scenario"),
    path("projects/<str:code>/scenario/add/", scenario.add, name="scenario_add"),
    path("projects/<str:code>/scenario/<int:scenario_id>/", scenario.scenario, name="scenario_detail"),
    path("projects/<str:code>/scenario/<int:scenario_id>/analyse/", scenario.analyse, name="scenario_analyse"),
    path("projects/<str:code>/scenario/<int:scenario_id>/draft/", scenario.edit_draft, name="scenario_draft"),
    path("projects/<str:code>/scenario/<int:scenario_id>/apply/", scenario.apply, name="scenario_apply"),
    path("projects/<str:code>/naming/", naming.naming, name="naming"),
    path("projects/<str:code>/naming/save/", naming.save, name="naming_save"),
    path("projects/<str:code>/naming/preview/", naming.preview, name="naming_preview"),
    path("projects/<str:code>/naming/read/", naming.read, name="naming_read"),
    path("projects/<str:code>/shots/", shots.shot_list, name="list"),
    path("projects/<str:code>/shots/confirm/", confirm.confirm, name="confirm"),
    path("projects/<str:code>/shots/confirm/chosen/", confirm.choose, name="confirm_chosen"),
    path("projects/<str:code>/shots/confirm/move/", confirm.move, name="confirm_move"),
    path("projects/<str:code>/shots/unlock/", confirm.unlock, name="unlock_chosen"),
    path("projects/<str:code>/shots/<int:shot_id>/transition/", shots.transition, name="transition"),
    path("projects/<str:code>/shots/<int:shot_id>/prompt/", prompts.panel, name="prompt"),
    path("projects/<str:code>/shots/<int:shot_id>/prompt/take/", prompts.take, name="prompt_take"),
    path("projects/<str:code>/shots/<int:shot_id>/prompt/build/", prompts.build, name="prompt_build"),
    path("projects/<str:code>/shots/<int:shot_id>/prompt/save/", prompts.save, name="prompt_save"),
    path("projects/<str:code>/shots/<int:shot_id>/prompt/words/", prompts.words, name="prompt_words"),
    path("projects/<str:code>/shots/<int:shot_id>/prompt/translate/", prompts.translate, name="prompt_translate"),
    path("projects/<str:code>/shots/<int:shot_id>/unlock/", shots.unlock, name="unlock"),
]
