"""The page as a person sees it, in a real browser."""

from __future__ import annotations

from tests.sandbox.desk.conftest import Office
from tests.sandbox.desk.test_desk import THUMBS, keys
from tests.sandbox.pages.browser import in_a_browser, opened


@in_a_browser
async def test_a_question_is_asked_watched_stopped_and_left_by_keys_alone(office: Office) -> None:
    room, app = office.ann.dm.id, office.app
    async with opened(f"{office.address}slack?seat=ann") as page:
        await page.until("document.querySelector('.greeting')")
        await page.write("why?")
        await page.until("document.querySelector('#room .post')")
        assert await page.run("$('thread').hidden")
        (question,) = office.ann.dm.messages()
        work = {"channel_id": room, "thread_ts": question.ts, "status": "processing"}
        await app.api_call("agents.sessions.setStatus", json=work)
        await page.until("$('room').innerText.includes('Chinwag is thinking…')")
        where = {"channel": room, "thread_ts": question.ts, "markdown_text": "Because"}
        stream = await app.api_call("chat.startStream", json=where)
        await page.until("$('thread').innerText.includes('Because')")
        await page.until("$('thread').contains(document.activeElement)")
        grow = {"channel": room, "ts": stream["ts"], "markdown_text": " it **is**"}
        await page.run("$('thread').querySelector('.post:nth-child(2)').kept = true")
        await app.api_call("chat.appendStream", json=grow)
        await page.until("$('thread').innerText.includes('Because it is')")
        assert await page.run("$('thread').querySelector('.post:nth-child(2)').kept")
        await page.run("$('thread').querySelector('.work button').focus()")
        await page.type("Enter", "\r")
        await page.until("$('thread').innerText.includes('is thinking…')")  # the bot must say so
        blocks = [{"type": "markdown", "text": "Because"}, keys("Regenerate"), THUMBS]
        await app.chat_update(channel=room, ts=stream["ts"], text="Because", blocks=blocks)
        done = work | {"status": "active"}
        await app.api_call("agents.sessions.setStatus", json=done)
        await page.until("!document.querySelector('.work') && $('thread').innerText.includes('👎')")
        assert await page.run("$('thread').querySelector('.thumbs button').ariaLabel") == (
            "Good answer"
        )
        await page.run("panes.thread.words.focus()")
        await page.write("/model")
        toast = "Slack takes no slash commands in threads. Write ! instead of /."
        await page.until(f"$('toast').innerText === '{toast}'")
        await page.type("Escape")
        await page.until("$('thread').hidden && panes.room.words === document.activeElement")


@in_a_browser
async def test_the_desk_speaks_the_language_of_who_sits_there(office: Office) -> None:
    async with opened(f"{office.address}slack?seat=trip-ming") as page:
        await page.until("document.querySelector('.greeting')")
        assert await page.run("document.documentElement.lang") == "zh"
        assert await page.run("panes.room.words.placeholder") == "输入消息"
        assert await page.run("document.querySelector('#platforms a').search") == "?seat=ming"
        await office.ann.channel(office.trip).send("hello")
        await page.until("$('rooms').innerText.includes('# trip新')")
        await page.run("$('rooms').querySelector('a').click()")
        await page.until("document.querySelector('#room .tools a')?.title === '在消息列中回复'")
        assert await page.run("$('rooms').innerText.includes('新')") is False


@in_a_browser
async def test_who_may_be_meant_is_offered(office: Office) -> None:
    async with opened(f"{office.address}slack#{office.trip.id}") as page:
        await page.until("document.querySelector('.greeting')")
        await page.call("Input.insertText", text="hi @chi")
        await page.run("document.querySelector('#room .menu button').click()")
        assert await page.run("panes.room.words.value") == "hi @Chinwag "
        await page.type("Enter", "\r")
        await office.slack.wait_for(lambda: bool(office.ann.channel(office.trip).messages()))
    (message,) = office.ann.channel(office.trip).messages()
    assert message.text.strip() == f"hi <@{office.slack.workspace.bot.id}>"


@in_a_browser
async def test_what_was_written_is_changed_and_deleted_by_keys_alone(office: Office) -> None:
    dm = office.ann.dm
    async with opened(f"{office.address}slack?seat=ann") as page:
        await page.until("document.querySelector('.greeting')")
        await page.write("helo")
        await page.until("document.querySelector('#room .post time')?.innerText")
        await page.type("ArrowUp")
        assert await page.run("panes.room.words.value") == "helo"
        await page.type("Escape")
        assert await page.run("panes.room.words.value || panes.room.about.line.hidden") is True
        await page.type("ArrowUp")
        await page.run("panes.room.words.value = 'hello'")
        await page.type("Enter", "\r")
        await page.until("$('room').innerText.includes('edited')")
        assert [seen.text for seen in dm.screen()] == ["hello"]
        await page.call("Input.insertText", text="and then")
        await page.run("document.querySelector('#room [title=Edit]').click()")
        assert await page.run("panes.room.words.value") == "hello"
        await page.type("Enter", "\r")  # the same words: nothing is changed
        assert await page.run("panes.room.words.value") == "and then"
        await page.run("confirm = () => true, document.querySelector('[title=Delete]').focus()")
        await page.type("Enter", "\r")
        await page.until("document.querySelector('.greeting')")
    assert dm.screen() == [] and dm.messages() == []


@in_a_browser
async def test_what_is_typed_in_chinese_is_sent_when_it_is_whole(office: Office) -> None:
    async with opened(f"{office.address}slack?seat=ming#{office.trip.id}") as page:
        await page.until("document.querySelector('.greeting')")
        await page.call("Input.insertText", text="请@An")
        assert await page.run("document.querySelector('#room .menu button b').innerText") == "@Ann"
        enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
        await page.call("Input.dispatchKeyEvent", type="rawKeyDown", **enter)
        assert office.ann.channel(office.trip).messages() == []
        await page.run("document.querySelector('#room .menu button').click()")
        await page.write("看一下")
        await page.until("$('room').innerText.includes('看一下')")
        assert await page.run("$('status').innerText") == "小明、Chinwag、Ann"
    (message,) = office.ann.channel(office.trip).messages()
    assert message.text == f"请<@{office.ann.id}> 看一下"


@in_a_browser
async def test_all_words_stand_out_enough_to_be_read(office: Office) -> None:
    room, app = office.trip.id, office.app
    question = await office.ann.channel(office.trip).send("<@BOT> why? `x` https://a.example")
    blocks = [{"type": "markdown", "text": "[So](https://a.example) `x`"}, keys("Again"), THUMBS]
    where = {"channel": room, "thread_ts": question.ts}
    await app.api_call("chat.postMessage", json=where | {"text": "So", "blocks": blocks})
    await app.chat_postEphemeral(channel=room, user=office.ann.id, text="Thank you!")
    step = {"type": "task_update", "id": "1", "title": "Thinking…", "status": "in_progress"}
    reader = {
        "recipient_user_id": office.ann.id,
        "recipient_team_id": office.slack.workspace.team,
    }
    await app.api_call("chat.startStream", json=where | {"chunks": [step]} | reader)
    async with opened(f"{office.address}slack#{room}/{question.ts}") as page:
        await page.until("$('thread').innerText.includes('Thinking…')")
        await page.call("Input.insertText", text="/")
        assert await page.faint("light") == []
        assert await page.faint("dark") == []
