"""Any sequence of commands leaves history and settings as a simple model of them says."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.core.chat import Role
from bot.core.defaults import Persona
from bot.core.fakes.platform import ANN, CHAT
from bot.core.settings import ChatSettings
from bot.core.types import ButtonPress, ChatId, ChatRef, IncomingMessage, Sender, UserId
from tests.house import DEFAULTS, House, open_house

EVE = Sender(UserId("666"), "Eve")
ELSEWHERE = ChatRef("fake", ChatId("2"))
PERSONAS = (Persona(name="Poet", prompt="Answer in verse."),)
STEPS = 18


@dataclass(slots=True)
class Talk:
    """A conversation of the model: the questions in it."""

    number: int
    questions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Model:
    """What should be there. Conversations without a word are not listed, and are used again."""

    talks: list[Talk] = field(default_factory=list)
    current: Talk | None = None
    settings: ChatSettings = field(default_factory=ChatSettings)
    said: int = 0

    def now(self) -> Talk:
        """The current conversation, begun when there is none."""
        if self.current is None:
            number = max((talk.number for talk in self.talks), default=0) + 1
            self.current = Talk(number)
            self.talks.append(self.current)
        return self.current

    def find(self, number: int) -> Talk | None:
        """A conversation of the list."""
        return next((t for t in self.talks if t.number == number and t.questions), None)

    def choose(self, **changes: object) -> None:
        """A change of the settings."""
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # by name


def step(model: Model, dice: random.Random) -> str:
    """Something a person types; the model follows."""
    number = dice.randint(1, 4)
    match dice.randrange(16):
        case 0 | 1 | 2 | 3:
            model.said += 1
            model.now().questions.append(f"question {model.said}")
            return f"question {model.said}"
        case 4 | 5:
            if model.current is not None and model.current.questions:
                model.current = None
            model.now()
            return "/new"
        case 6 | 7:
            if model.now().questions:
                model.now().questions.pop()
            return "/undo"
        case 8:
            model.now()
            return "/retry"
        case 9:
            model.current = model.find(number) or model.current
            return f"/chats {number}"
        case 10:
            if (found := model.find(number)) is not None:
                model.talks.remove(found)
                model.current = None if found is model.current else model.current
            return f"/chats delete {number} yes"
        case 11:
            model.choose(sampling=replace(model.settings.sampling, temperature=0.5))
            return "/set temperature 0.5"
        case 12:
            model.choose(system_prompt="Be kind.", persona="")
            return "/system Be kind."
        case 13:
            model.choose(system_prompt="", persona="Poet")
            return "/persona poet"
        case 14:
            words = ["/chats 99", "/set temperature 9", "/settings x y", "/modle", "/persona x"]
            return dice.choice([*words, "/export pdf", "/forget it", "/chats delete 99 yes"])
        case _:
            if dice.random() < 0.8:
                model.choose(language="en")
                return "/settings language en"
            said = model.said
            model.__init__()  # type: ignore[misc]  # everything is gone
            model.said = said
            return "/forget chat yes"


async def questions(house: House, conversation: int) -> list[str]:
    page = await house.services.stores.conversations.page(conversation, limit=200)
    roles = [kept.message.role for kept in page]
    assert roles == [Role.USER, Role.ASSISTANT] * (len(roles) // 2)
    return [kept.message.text for kept in page if kept.message.role is Role.USER]


@pytest.mark.parametrize("seed", range(4))
async def test_history_and_settings_are_what_the_commands_made_them(
    tmp_path: Path, seed: int
) -> None:
    dice, model = random.Random(seed), Model()
    defaults = replace(DEFAULTS, personas=PERSONAS)
    async with open_house(tmp_path, defaults=defaults) as house:
        stores = house.services.stores
        done: list[str] = []
        for _ in range(STEPS):
            done.append(step(model, dice))
            await house.say(done[-1])
            assert "went wrong" not in house.platform.kept()[-1], done
        settings = replace(await stores.settings.load(CHAT), recent=())
        assert settings == model.settings, done
        listed = await stores.archive.listed(CHAT, limit=100)
        found = {each.number: await questions(house, each.id) for each in listed}
        assert found == {t.number: t.questions for t in model.talks if t.questions}, done
        current = await stores.conversations.current(CHAT)
        assert await questions(house, current) == model.now().questions, done
        await house.say("last")
        asked = [content for role, content in house.asked() if role == "user"]
        assert asked == [*model.now().questions, "last"], done


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_pressed_by_whom_and_with_what_the_bot_lives(
    tmp_path: Path, seed: int
) -> None:
    """Real buttons, old ones, other people's, made-up values, and those of another chat."""
    dice = random.Random(seed)
    defaults = replace(DEFAULTS, personas=PERSONAS)
    async with open_house(tmp_path, defaults=defaults) as house:
        await house.say("hello")
        typed = [
            "/chats",
            "/settings",
            "/set",
            "/model",
            "/persona",
            "/system x",
            "/export",
            "/forget",
        ]
        for _ in range(STEPS):
            await house.say(dice.choice(typed))
            for _ in range(2):
                await house.tell(press(house, dice))
            screen = "\n".join(house.platform.kept())
            assert "went wrong" not in screen
        settings = await house.services.stores.settings.load(ELSEWHERE)
        assert settings == ChatSettings()  # nothing reached the other chat
        assert (await house.say("still there?"))[-1]


def press(house: House, dice: random.Random) -> ButtonPress:
    """Somebody presses something."""
    labels = house.platform.buttons()
    real = house.platform.press(dice.choice(labels)) if labels else made_up(house)
    match dice.randrange(6):
        case 0:
            hostile = ["", "stop", "../../etc/passwd", "'; DROP TABLE turns; --", "x" * 500, "\x00"]
            return replace(real, key=f"hostile {dice.random()}", value=dice.choice(hostile))
        case 1:
            return replace(real, key=f"eve {dice.random()}", sender=EVE)
        case _:
            return real


def made_up(house: House) -> ButtonPress:
    message: IncomingMessage = house.platform.message("x")
    return ButtonPress(key=message.key, ref=message.ref, sender=ANN, value="nothing")
