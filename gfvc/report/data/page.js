"use strict";
// Plays the videos of a clip in step: the source leads, the others follow its clock.

// A follower that is further off than this is moved at once, in seconds.
const FAR = 0.2;
// One that is a little off runs so much faster or slower until it is in step again.
const CATCH_UP = 0.08;

const dataUris = JSON.parse(document.getElementById("videos").textContent);

class Player {
  constructor(root) {
    const part = (name) => root.querySelector(name);
    const data = JSON.parse(part("script").textContent);
    this.rate = data.rate;
    this.pictures = data.pictures;
    this.source = data.source;
    this.comparisons = data.comparisons;
    this.section = root.parentElement;
    this.figures = [...root.querySelectorAll("figure")];
    this.button = part(".play");
    this.scrubber = part(".scrubber");
    this.position = part(".position");
    this.speed = part(".speed");
    this.choice = part(".choice");
    this.playing = false;
    this.starts = 0; // to tell a start from a later one that overtook it
    this.loaded = false;
    this.shown = 0;

    this.button.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    this.scrubber.addEventListener("input", () => this.jump(Number(this.scrubber.value)));
    this.choice.addEventListener("change", () => this.choose());
    this.speed.addEventListener("change", () => this.setSpeeds());
    for (const jump of this.section.querySelectorAll(".jump")) {
      jump.addEventListener("click", () => {
        this.jump(Number(jump.dataset.picture));
        this.button.focus();
      });
    }
    this.compared = this.comparisons[0];
    this.tell();
    // Videos are decoded only where somebody looks.
    new IntersectionObserver((entries, observer) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        observer.disconnect();
        this.load();
      }
    }, { rootMargin: "50%" }).observe(root);
  }

  // The videos that are shown: source, decoded, and that of the peer where there is one.
  get videos() {
    return this.figures.filter((figure) => !figure.hidden).map((figure) => figure.querySelector("video"));
  }

  load() {
    if (this.loaded) return;
    this.loaded = true;
    this.setSources();
  }

  setSources() {
    const names = [this.source, ...this.compared.map((point) => point.video)];
    this.videos.forEach((video, index) => {
      if (video.dataset.video !== names[index]) {
        video.dataset.video = names[index];
        video.src = dataUris[names[index]];
      }
      video.currentTime = this.timeOf(this.shown);
    });
  }

  choose() {
    this.pause();
    this.compared = this.comparisons[Number(this.choice.value)];
    for (const block of this.section.querySelectorAll(".comparison")) {
      block.hidden = block.dataset.number !== this.choice.value;
    }
    this.tell();
    if (this.loaded) this.setSources();
  }

  // The middle of a picture's time, so that rounding cannot show its neighbour.
  timeOf(picture) {
    return (picture + 0.5) / this.rate;
  }

  jump(picture) {
    this.pause();
    this.load();
    this.shown = picture;
    for (const video of this.videos) video.currentTime = this.timeOf(picture);
    this.tell();
  }

  async play() {
    this.load();
    this.playing = true;
    const start = ++this.starts;
    const overtaken = () => !this.playing || start !== this.starts;
    this.button.textContent = "Pause";
    if (this.shown >= this.pictures - 1) this.shown = 0;
    const time = this.timeOf(this.shown);
    const videos = this.videos;
    try {
      await Promise.all(videos.map((video) => seek(video, time)));
      if (overtaken()) return;
      this.setSpeeds();
      await Promise.all(videos.map((video) => video.play()));
      if (!overtaken()) this.follow();
    } catch (error) {
      // A pause while starting ends play() with AbortError, which is what was wanted.
      if (overtaken() || error.name === "AbortError") return;
      this.pause();
      this.position.textContent = "this browser cannot play the videos";
    }
  }

  pause() {
    this.playing = false;
    this.button.textContent = "Play";
    for (const video of this.videos) video.pause();
  }

  setSpeeds() {
    for (const video of this.videos) video.playbackRate = Number(this.speed.value);
  }

  follow() {
    if (!this.playing) return;
    const [lead, ...followers] = this.videos;
    const speed = Number(this.speed.value);
    for (const video of followers) {
      if (video.seeking || video.ended) continue;
      const behind = lead.currentTime - video.currentTime;
      if (Math.abs(behind) > FAR) video.currentTime = lead.currentTime;
      const turn = Math.abs(behind) < 0.25 / this.rate ? 0 : Math.sign(behind) * CATCH_UP;
      if (video.playbackRate !== speed * (1 + turn)) video.playbackRate = speed * (1 + turn);
    }
    this.shown = Math.min(this.pictures - 1, Math.floor(lead.currentTime * this.rate + 1e-6));
    this.tell();
    if (lead.ended) {
      this.jump(this.pictures - 1);
      return;
    }
    requestAnimationFrame(() => this.follow());
  }

  // Say what is seen.
  tell() {
    this.scrubber.value = this.shown;
    const seconds = (this.shown / this.rate).toFixed(2);
    this.position.textContent = `picture ${this.shown} (${seconds} s)`;
    this.scrubber.setAttribute("aria-valuetext", this.position.textContent);
    this.figures.slice(1).forEach((figure, index) => {
      const point = this.compared[index];
      figure.hidden = point === undefined;
      if (point === undefined) return;
      figure.querySelector(".caption").textContent = point.caption;
      const told = Object.entries(point.scores).map(([title, values]) => `${title} ${values[this.shown] ?? "none"}`);
      if (point.bits !== null) told.push(`${point.bits[this.shown]} bits`);
      figure.querySelector(".figures").textContent = told.join(", ");
    });
  }
}

function seek(video, time) {
  return new Promise((resolve, reject) => {
    const done = () => {
      if (video.readyState < 2 || video.seeking) return;
      for (const name of ["seeked", "loadeddata", "canplay"]) video.removeEventListener(name, done);
      resolve();
    };
    for (const name of ["seeked", "loadeddata", "canplay"]) video.addEventListener(name, done);
    video.addEventListener("error", () => reject(video.error), { once: true });
    if (video.error) reject(video.error);
    if (Math.abs(video.currentTime - time) > 1e-3) video.currentTime = time;
    done();
  });
}

for (const root of document.querySelectorAll(".player")) new Player(root);
