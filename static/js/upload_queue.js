// Files are sent one after another, so that the first is through early. One that is paused or has ended gives its
// turn to the next; the count starts anew when all are through.
import { stayAwake } from "./upload_awake.js";

const jobs = [];

export function add(job) {
  if (jobs.every((one) => one.isOver)) jobs.length = 0;
  jobs.push(job);
  turn();
}

// To be called whenever a job pauses, goes on or ends.
export function turn() {
  if (!jobs.some((job) => job.isSending)) jobs.find((job) => job.isWaiting)?.start();
  jobs.forEach((job, index) => job.row.place(index + 1, jobs.length));
  stayAwake(isBusy());
}

export const isBusy = () => jobs.some((job) => job.isSending || job.isWaiting);

export const sending = () => jobs.filter((job) => job.isSending);
