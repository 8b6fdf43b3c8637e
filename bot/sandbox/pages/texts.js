"use strict";

// What the page itself says in other languages, by its English words.
const TEXTS = {
  zh: {
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
    "bot": "机器人",
    "typing": "正在输入",
    "Stop": "停止",
    "Not connected. Try again in a moment.": "连接已断开，请稍后再试。",
    "That file is too large.": "文件太大了。",
    "That did not work.": "没有成功。",
    "No microphone here. Send a sound file with 📎 instead.": "这里没有麦克风，请用 📎 发送音频文件。",
    "The demo has ended; waiting for it to come back…": "演示已结束，正在等它恢复…",
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
