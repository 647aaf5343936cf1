"""What will I transfer? One form from data set to launch, with the spec it makes and how long it will take."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.address.kept import recall
from app.address.routes import go, link
from app.address.url_state import adopt, keep_valid, publish, put
from app.backend import data
from app.backend.machine import machine
from app.backend.own_images import find_images, image_size_of
from app.backend.weights import Weights, usable
from app.components.behaviour_choice import behaviour_choice
from app.components.data_choice import LAUNCH_KEYS, TRAINING_KEYS, data_choice, parameters
from app.components.expert_options import expert_options
from app.components.layer_choice import further_pairs, layer_lists
from app.components.layer_map import layer_map_section
from app.components.method_choice import method_choice, method_settings
from app.components.network_look import network_look
from app.components.page_head import page_head
from app.components.relaunch import demo_draft
from app.components.spec_view import spec_view
from app.components.study_starter import study_starter
from app.components.weights_choice import weights_choice
from app.form.drafts import OWN, Draft, apart, defaults
from app.form.estimates import estimate
from app.form.images import AUTO, size_setting
from app.form.validation import Findings, Looks, path_problems, review
from app.words.sentences import control_sentence, method_sentence, start_sentence
from bird_backend import catalog
from bird_backend.experiments import AnalyzeSpec, TransferSpec, load_spec
from bird_backend.specs import ModelRef
from bird_backend.transfer import METHODS

__all__ = ["render"]

_DATA_HELP = "What the student trains on and is tested on. The teacher sees these images too, never its own."


def render() -> None:
    """Draw the page."""
    head = st.container()
    demo = demo_draft()
    recall("launch", demo.choices())
    asked = {name: st.query_params.get(name, getattr(demo, name)) for name in ("data", "method")}
    adopt("launch", defaults(demo, **asked))
    known = usable(data.weights_files())
    _presets(demo)
    form, summary = st.columns([1.85, 1], gap="large")
    with form:
        draft, looks = _form(demo, known)
    publish("launch", draft.choices(), defaults(demo, data=draft.data, method=draft.method))
    with head:
        is_demo = " As it stands, this is the demo." if draft == demo else ""
        page_head(
            "launch",
            "Pick a teacher, a student and a method: with BIRD the student trains on its own images while its guided "
            f"layer is drawn towards the teacher's guiding layer.{is_demo}",
        )
    with summary, st.container(key="summary_panel"):
        _summary(draft, known, looks)


def _presets(demo: Draft) -> None:
    epochs = f"{demo.epochs} short epoch{'s' if demo.epochs > 1 else ''}"
    presets = {
        "The demo": (demo, f"A robust teacher of some clothes, a student of others, {epochs}."),
        "Control: a teacher that knows nothing": (
            replace(demo, control="random-weights"),
            "The same with random teacher weights. If this helps as much, it was not the teacher's knowledge.",
        ),
        "RBF kernel": (
            demo.with_method("bird").with_settings(kernel="rbf"),
            "The same, with similarity measured locally rather than by straight lines.",
        ),
        "Fine-tuning only": (demo.with_method("fine-tuning"), "The student goes on alone: what BIRD has to beat."),
    }
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Start from", width="content")
        for label, (draft, help) in presets.items():
            st.button(label, help=help, on_click=put, args=(draft.choices(),), key=f"preset_{label}")


def _form(demo: Draft, known: dict[str, Weights]) -> tuple[Draft, Looks]:
    """The draft that the choices make, and what is known of teacher and student."""
    st.header("Data", anchor=False)
    data_name, path, size, classes = data_choice(LAUNCH_KEYS, fallback=demo.data, help=_DATA_HELP)
    st.header("Teacher and student", anchor=False)
    left, right = st.columns(2)
    side = _side(Draft(data=data_name, path=path, size=size, classes=classes))
    with left:
        teacher = weights_choice("teacher", data_name, known, fallback=demo.teacher)
        theirs = network_look("teacher", _reference(teacher), side)
    with right:
        student = weights_choice("student", data_name, known, fallback=demo.student)
        own = network_look("student", _reference(student), side)
    st.header(
        "Robust to what?",
        anchor=False,
        help="What is done to the test images. The teacher should have been trained for the same.",
    )
    behaviour = behaviour_choice()
    st.header("Method", anchor=False)
    method = method_choice(demo)
    draft = Draft.from_choices({key: st.session_state[key] for key in demo.choices()} | {"method": method})
    draft = replace(
        draft,
        data=data_name,
        path=path,
        size=size,
        classes=classes,
        behaviour=behaviour,
        teacher=teacher.value,
        student=student.value,
    )
    looks = Looks(teacher=theirs, student=own)
    named = any(each.network not in catalog.models() for each in (teacher, student))
    if METHODS[draft.method].matches_layers or named:
        draft = _layers(draft, demo, (teacher, student), looks)
    draft = method_settings(draft)
    st.header("Training", anchor=False)
    return expert_options(_training(draft)), looks


def _layers(draft: Draft, demo: Draft, weights: tuple[Weights, Weights], looks: Looks) -> Draft:
    """The pair of layers, and where the method compares layers further ones and a map of all."""
    matches = METHODS[draft.method].matches_layers
    if not matches:
        st.caption("This method compares no layers; the geometry of these two is drawn while it trains.")
    teacher, student = looks.teacher.facts, looks.student.facts
    guiding, guided = layer_lists(teacher, student, fallback=(demo.guiding, demo.guided))
    draft = replace(draft, guiding=guiding, guided=guided)
    if teacher is None or student is None or not matches:
        return replace(draft, more=tuple(pair for pair in draft.more if all(apart(pair))))
    draft = replace(draft, more=further_pairs(teacher, student, chosen=(guiding, guided)))
    theirs, own = (_reference(each) for each in weights)
    size = size_setting(draft.size)
    try:
        asked = AnalyzeSpec.model_validate(
            {"data": draft.data_name, "teacher": theirs, "student": own, "seed": draft.seed, "image_size": size}
        )
        layer_map_section(asked, (teacher, student))
    except (data.BirdError, ValueError) as error:
        st.caption(f":orange[The pairs can't be measured yet: {error}]")
    return draft


def _side(draft: Draft) -> int | None:
    """Pixels a side of the images, none where they are not known yet or where what was typed is no size."""
    size = size_setting(draft.size)
    if path_problems(draft) or (draft.size != AUTO and size not in range(16, 513, 8)):
        return None
    return image_size_of(draft.data_name, size)


def _training(draft: Draft) -> Draft:
    first, second, third, fourth = st.columns(4)
    epochs = first.number_input("Epochs", step=1, key="epochs", help="How often each training image is seen.")
    batch = second.number_input(
        "Batch size",
        step=32,
        key="batch",
        help="CKA is measured within a batch: 128 works much better than 32 or 64.",
    )
    lr = third.number_input(
        "Learning rate",
        step=0.001,
        format="%.5g",
        key="lr",
        help="At the start; it falls to zero on a cosine.",
    )
    seed = fourth.number_input("Seed", step=1, key="seed", help="The same seed and spec give the same run.")
    left, right = st.columns(2, vertical_alignment="bottom")
    devices = machine().devices
    keep_valid("device", devices, "auto")
    device = left.selectbox(
        "Device",
        devices,
        format_func=lambda name: f"Automatic ({machine().words})" if name == "auto" else name.upper(),
        key="device",
    )
    baseline = right.toggle(
        "Compare with fine-tuning",
        key="baseline",
        disabled=not METHODS[draft.method].has_twin,
        help="The same student, seed, batches and budget without the teacher. Without it nothing says whether the "
        "teacher helped or the training alone. Doubles the time, nearly.",
    )
    return replace(
        draft,
        epochs=int(epochs),
        batch=int(batch),
        lr=float(lr),
        seed=int(seed),
        device=device,
        baseline=baseline,
    )


def _summary(draft: Draft, known: dict[str, Weights], looks: Looks) -> None:
    networks = {name: weights.network for name, weights in known.items()}
    try:
        document = draft.document(networks)
        own = find_images(draft.data_name) if draft.data == OWN and not path_problems(draft) else None
    except data.InputError as error:
        document, findings = {}, Findings(problems=(str(error),), notes=())
    else:
        findings = review(document, draft, known, own, looks)
    with st.container(border=True):
        st.header("Ready to launch" if findings.ready else "Not ready yet", anchor=False)
        for problem in findings.problems:
            st.error(problem, icon=":material/error:")
        for wait in findings.waits_for:
            st.info(wait, icon=":material/hourglass_top:")
        if findings.wants_student:
            _train_first(draft)
        if findings.ready:
            _ready(load_spec(document))
        launch = st.button(
            "Launch the transfer",
            type="primary",
            icon=":material/rocket_launch:",
            disabled=not findings.ready,
            width="stretch",
            key="launch",
        )
        _notes(findings)
    if findings.ready:
        spec_view(document)
        study_starter(document, key="launch", title="Is it any better than the others?")
    if launch:
        try:
            run = data.submit(document)
        except data.BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            go("live", run=run.id)


def _train_first(draft: Draft) -> None:
    chosen = parameters(draft.data_name, TRAINING_KEYS)
    link(
        "models",
        "Train a student on this first",
        icon=":material/model_training:",
        part="train",
        role="pretrain",
        **chosen,
    )


def _ready(spec: object) -> None:
    if not isinstance(spec, TransferSpec):
        return
    guess = estimate(spec, data.list_runs(kind="transfer", limit=30), machine())
    st.markdown(f"It will take **{guess.words}** on {_device(spec.device)}.", help=guess.basis.capitalize() + ".")
    st.markdown(method_sentence(spec))
    st.markdown(start_sentence(spec))
    if (said := control_sentence(spec)) is not None:
        st.info(said, icon=":material/science:")


def _device(device: str) -> str:
    here = machine()
    if device == "auto":
        return here.words
    return f"CPU, {here.cores} cores" if device == "cpu" else device.upper()


def _notes(findings: Findings) -> None:
    for note in findings.notes:
        st.caption(f":orange[:material/info:] {note}")


def _reference(weights: Weights) -> ModelRef:
    return ModelRef(model=weights.network, weights=None if weights.provenance is None else weights.value)
