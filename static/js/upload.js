// The upload forms of an entry's page. It works without this file by plain forms; with it, files are looked at before
// they are sent, sent in parts again and again until all have arrived, and shown as the server shows them.
import { stayAwake } from "./upload_awake.js";
import { dress, input, sentence, tell, verdictOn, wrongChoice } from "./upload_choose.js";
import { Job } from "./upload_job.js";
import { add, isBusy, sending } from "./upload_queue.js";
import { settle } from "./upload_refresh.js";
import { Row } from "./upload_row.js";

async function send(form) {
  const files = [...input(form).files];
  const wrong = wrongChoice(form);
  if (wrong) {
    tell(form, sentence(wrong, true));
    return input(form).focus();
  }
  const verdicts = await Promise.all(files.map((file) => verdictOn(form, file)));
  if (files[0] !== input(form).files[0]) return; // pressed twice
  files.forEach((file, index) => {
    if (verdicts[index].refusal) refuse(form, file, verdicts[index].refusal);
    else add(new Job(form, file));
  });
  form.reset();
  tell(form);
}

function refuse(form, file, refusal) {
  const row = new Row(form.closest("[data-slot-section]"), file);
  row.refuse("Not sent", refusal);
  row.part("remove").addEventListener("click", () => row.remove());
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-upload-form]");
  if (!form) return;
  event.preventDefault();
  send(form);
});

dress(document);
for (const waiting of document.querySelectorAll("[data-upload-wait]")) {
  const name = waiting.querySelector(".upload-name").textContent.trim();
  const { uploadId, uploadStands } = waiting.dataset;
  settle(uploadId, name, waiting.closest("[data-slot-section]").id, uploadStands);
}

const wake = () => sending().forEach(({ transfer }) => transfer.wake());
addEventListener("online", wake);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  wake();
  stayAwake(isBusy());
});

addEventListener("beforeunload", (event) => {
  if (isBusy()) event.preventDefault();
});
