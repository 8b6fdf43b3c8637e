"use strict";

// What the page itself says in other languages, by its English words.
const TEXTS = {
  zh: {
    "Platform": "平台",
    "Whose screen": "谁的屏幕",
    "Messages": "消息",
    "To the newest message": "到最新消息",
    "Suggestions": "建议",
    "Never mind": "取消",
    "Send a file": "发送文件",
    "Message": "输入消息",
    "Record a voice message": "录制语音消息",
    "Send": "发送",
    "edited": "已编辑",
    "reply": "回复",
    "edit": "编辑",
    "delete": "删除",
    "Edit": "编辑",
    "Delete": "删除",
    "Delete this message?": "要删除这条消息吗？",
    "This message was deleted.": "此消息已删除。",
    "bot": "机器人",
    "typing…": "正在输入……",
    "Stop": "停止",
    "Not connected. Try again in a moment.": "连接已断开，请稍后再试。",
    "That file is too large.": "文件太大了。",
    "That did not work.": "没有成功。",
    "No microphone here. Send a sound file with 📎 instead.": "这里没有麦克风，请用 📎 发送音频文件。",
    "Rooms": "会话",
    "new": "新",
    "Thread": "消息列",
    "Close the thread": "关闭消息列",
    "Write @Chinwag and your question.": "输入 @Chinwag 和你的问题。",
    "Reply in thread": "在消息列中回复",
    "1 reply": "1 条回复",
    "replies": "条回复",
    "is thinking…": "正在思考……",
    "is writing…": "正在回答……",
    "APP": "应用",
    "Only visible to you": "仅你可见",
    "Good answer": "回答得好",
    "Bad answer": "回答得不好",
    "Slack takes no slash commands in threads. Write ! instead of /.": "Slack 的消息列不支持斜杠命令，请用 ! 代替 /。",
    "Slack does not know this command.": "Slack 不认识这个命令。",
    "The demo has ended; waiting for it to come back…": "演示已结束，正在等它恢复……",
  },
};

function say(text) { return TEXTS[document.documentElement.lang]?.[text] ?? text; }

// Once per page: what stands in its HTML.
function translate() {
  for (const name of ["title", "placeholder", "aria-label"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      element.setAttribute(name, say(element.getAttribute(name)));
    }
  }
}
