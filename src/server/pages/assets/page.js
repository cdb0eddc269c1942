// The recipient's page: plays what is shared, and stops showing it the moment the share ends.
(function () {
  "use strict";

  const viewing = document.getElementById("viewing");
  const base = viewing.dataset.base;
  const line = document.getElementById("line");
  // The server speaks every 1.5 s. Two missed beats: it may only be busy, and is asked. Three without an answer: the line
  // is lost, and nothing is shown until it is back.
  const askAfterMs = 3000;
  const lostAfterMs = 4500;
  const checkEveryMs = 500;

  const players = new Map();
  let events;
  let heardAt = Date.now();
  let ended = false;
  let lost = false;
  let asking = false;
  let resumed = [];

  /** Takes every exhibit, or one, off the page: players, buffers and pictures. */
  function clear(root) {
    for (const media of root.querySelectorAll("video, audio")) {
      media.pause();
      const player = players.get(media);
      if (player) player.destroy();
      players.delete(media);
      media.removeAttribute("src");
      media.load();
    }
    for (const picture of root.querySelectorAll("img")) picture.removeAttribute("src");
    root.replaceChildren();
  }

  function end() {
    if (ended) return;
    ended = true;
    if (events) events.close();
    const words = document.getElementById("ended").content.cloneNode(true);
    clear(viewing);
    viewing.replaceWith(words);
    document.title = "This link has ended";
    document.querySelector("h1").focus();
  }

  /** The share goes on, but the code must be given again: the page behind this one says so. */
  function startAgain() {
    if (ended) return;
    ended = true;
    if (events) events.close();
    clear(viewing);
    location.reload();
  }

  function endExhibit(id) {
    const exhibit = document.getElementById(id);
    if (!exhibit) return;
    const reference = exhibit.querySelector(".reference").textContent;
    clear(exhibit);
    const entry = viewing.querySelector('.contents a[href="#' + id + '"]');
    if (entry) entry.closest("li").remove();
    const words = document.createElement("p");
    words.className = "withdrawn";
    words.setAttribute("role", "status");
    words.textContent = "Exhibit " + reference + " was withdrawn.";
    exhibit.removeAttribute("aria-labelledby");
    exhibit.append(words);
  }

  /** The session stood at `at`. */
  function stood(at) {
    heardAt = Math.max(heardAt, at);
    if (!lost || Date.now() - heardAt > lostAfterMs) return;
    lost = false;
    line.hidden = true;
    viewing.classList.remove("unverified");
    for (const media of resumed) media.play().catch(function () {});
    resumed = [];
  }

  function heard() {
    stood(Date.now());
  }

  function lose() {
    if (lost) return;
    lost = true;
    line.hidden = false;
    viewing.classList.add("unverified");
    resumed = Array.from(viewing.querySelectorAll("video, audio")).filter(function (media) {
      return !media.paused;
    });
    for (const media of resumed) media.pause();
  }

  /** Asks the server outright whether this session still stands. */
  async function ask() {
    if (asking || ended) return;
    asking = true;
    const askedAt = Date.now();
    try {
      const answer = await fetch(base + "session", {
        cache: "no-store",
        redirect: "error",
        signal: window.AbortSignal.timeout(lostAfterMs),
      });
      if (answer.status === 404 || answer.status === 410) end();
      if (answer.status === 403) startAgain();
      if (!answer.ok || ended) return;
      // A slow answer is no news: it says how things were when it was asked for.
      stood(askedAt);
      if (events.readyState === 2) listen();
    } catch {
      // No network: what is shown stays hidden, and the next round asks again.
    } finally {
      asking = false;
    }
  }

  function listen() {
    if (events) events.close();
    events = new EventSource(base + "events");
    events.addEventListener("open", heard);
    events.addEventListener("beat", heard);
    events.addEventListener("ended", end);
    events.addEventListener("session-over", startAgain);
    events.addEventListener("exhibit-ended", function (event) {
      heard();
      endExhibit(JSON.parse(event.data).exhibit);
    });
    events.addEventListener("error", ask);
  }

  function watch() {
    if (ended) return;
    const silentMs = Date.now() - heardAt;
    if (silentMs > lostAfterMs) lose();
    if (silentMs > askAfterMs) ask();
    setTimeout(watch, checkEveryMs);
  }

  function say(video, words) {
    const place = video.closest(".file").querySelector("[data-says]");
    place.hidden = words === "";
    place.textContent = words;
  }

  /** Segments are made as they are asked for: little ahead is loaded, and the first may take a while. */
  const aheadSeconds = 6;
  const settings = {
    maxBufferLength: 1,
    maxMaxBufferLength: aheadSeconds,
    backBufferLength: 10,
    autoStartLoad: false,
    fragLoadPolicy: {
      default: {
        maxTimeToFirstByteMs: 45000,
        maxLoadTimeMs: 60000,
        timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
        errorRetry: { maxNumRetry: 4, retryDelayMs: 1000, maxRetryDelayMs: 4000 },
      },
    },
  };

  function attach(video) {
    if (players.has(video) || video.src) return;
    const playlist = video.dataset.playlist;
    if (window.Hls && Hls.isSupported()) {
      const player = new Hls(settings);
      players.set(video, player);
      player.on(Hls.Events.ERROR, function (_, error) {
        if (error.response && [403, 404, 410].includes(error.response.code)) ask();
        if (!error.fatal) return;
        if (error.type === Hls.ErrorTypes.MEDIA_ERROR) player.recoverMediaError();
        else say(video, "The video does not come through right now. Reload the page to try again.");
      });
      player.on(Hls.Events.FRAG_BUFFERED, function () {
        say(video, "");
      });
      video.addEventListener("play", function () {
        player.config.maxBufferLength = aheadSeconds;
      });
      player.loadSource(playlist);
      player.attachMedia(video);
      player.startLoad();
    } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
      video.src = playlist;
    } else {
      say(
        video,
        "This browser cannot play the video. Use a current version of Edge, Chrome, Firefox or Safari.",
      );
    }
  }

  // A video is loaded when it comes into sight; of one that does not play yet, the first segment only.
  const sight = new window.IntersectionObserver(function (seen) {
    for (const { isIntersecting, target } of seen) if (isIntersecting && !ended) attach(target);
  });
  for (const video of viewing.querySelectorAll("video[data-playlist]")) sight.observe(video);

  function clockTime(seconds) {
    const two = function (value) {
      return String(value).padStart(2, "0");
    };
    const whole = Math.floor(seconds);
    return (
      Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60) + ":" + two(whole % 60)
    );
  }

  function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  /** A note that was just left, below those before it. Its text is only ever text. */
  function show(list, note) {
    const item = document.createElement("li");
    const place = element("p", "");
    place.className = "place";
    if (note.place) place.append(element("strong", note.place), ", ");
    place.append("left just now");
    item.append(place);
    for (const line of note.text.split("\n")) {
      const paragraph = document.createElement("p");
      paragraph.append(element("bdi", line));
      item.append(paragraph);
    }
    list.append(item);
  }

  /** A form for notes: its time follows the recording until a note is being written, and it is sent without leaving the page. */
  function takeNotes(form) {
    const media = form.closest(".file").querySelector("video, audio");
    const time = form.elements.namedItem("at");
    const text = form.elements.namedItem("text");
    const told = form.querySelector("[data-told]");
    let isOwn = false;
    if (media && time) {
      const follow = function () {
        if (!isOwn && text.value === "") time.value = clockTime(media.currentTime);
      };
      media.addEventListener("timeupdate", follow);
      media.addEventListener("seeked", follow);
      time.addEventListener("input", function () {
        isOwn = true;
      });
    }
    form.addEventListener("submit", async function (event) {
      event.preventDefault();
      if (form.dataset.sending) return;
      form.dataset.sending = "1";
      told.textContent = "Sending.";
      try {
        const answer = await fetch(form.action, {
          method: "POST",
          body: new window.URLSearchParams(new window.FormData(form)),
          headers: { accept: "application/json" },
          redirect: "error",
        });
        if ([403, 404, 410].includes(answer.status)) ask();
        const said = await answer.json();
        if (answer.ok) {
          show(form.parentElement.querySelector(".left"), said);
          text.value = "";
          isOwn = false;
          text.focus();
        }
        told.textContent = answer.ok ? "The note was left." : said.title + " It was not left.";
      } catch {
        told.textContent = "The note was not left. Try again in a moment.";
      } finally {
        delete form.dataset.sending;
      }
    });
  }

  for (const form of viewing.querySelectorAll("form[data-notes]")) takeNotes(form);

  // Coming back with the browser's "back" must not show what was kept of an ended page.
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) location.reload();
  });

  listen();
  watch();
})();
