extension Report {
  /// The script of a live page, which the server provides next to the page as `live.js`.
  ///
  /// It requests the page at intervals and replaces the parts that have changed. The scroll position, open sections and
  /// enlarged pictures are kept. It requests nothing but the page itself.
  public static let liveScript = """
    "use strict";
    (() => {
      const period = 1000 * Number(document.currentScript.dataset.period);
      const status = document.createElement("p");
      status.setAttribute("role", "status");
      status.style.cssText = "position:fixed;right:.8rem;bottom:.8rem;margin:0;padding:.2rem .7rem;border-radius:1rem;" +
        "font-size:.8rem;background:Canvas;color:CanvasText;border:1px solid GrayText";
      const say = (text) => { if (status.textContent !== text) status.textContent = text; };
      document.body.append(status);
      say("live");

      // A section is identified by its title and the titles of the sections around it.
      const name = (fold) => {
        const titles = [];
        for (let at = fold; at; at = at.parentElement) {
          if (at.tagName === "DETAILS") titles.push(at.querySelector("summary").textContent);
        }
        return titles.join("\\n");
      };

      // A picture is identified by its name and its index among the pictures with that name.
      const pictures = (page) => {
        const counts = new Map();
        return [...page.querySelectorAll(".zoom input")].map((box) => {
          const name = box.getAttribute("aria-label");
          counts.set(name, (counts.get(name) ?? 0) + 1);
          return [`${counts.get(name)} ${name}`, box];
        });
      };

      const show = (fresh) => {
        const folds = new Map([...document.querySelectorAll("details")].map((fold) => [name(fold), fold.open]));
        for (const fold of fresh.querySelectorAll("details")) {
          if (folds.has(name(fold))) fold.open = folds.get(name(fold));
        }
        const large = new Map(pictures(document).map(([name, box]) => [name, box.checked]));
        for (const [name, box] of pictures(fresh)) box.checked = large.get(name) ?? false;
        const position = [window.scrollX, window.scrollY];
        for (const part of ["header", "main", "footer"]) {
          const [old, next] = [document.querySelector(`body > ${part}`), fresh.querySelector(`body > ${part}`)];
          if (old && next && old.innerHTML !== next.innerHTML) old.replaceWith(document.adoptNode(next));
        }
        document.title = fresh.title;
        window.scrollTo(...position);
      };

      let tag = "";
      const renew = async () => {
        try {
          if (!document.hidden) {
            const headers = tag ? { "If-None-Match": tag } : {};
            const answer = await fetch(location.pathname, { cache: "no-store", headers });
            if (answer.ok) {
              tag = answer.headers.get("ETag") ?? "";
              show(new DOMParser().parseFromString(await answer.text(), "text/html"));
            }
            say(answer.ok || answer.status === 304 ? "live" : `no page: ${answer.status}`);
          }
        } catch {
          say("no answer: pixelrl watch has ended");
        }
        setTimeout(renew, period);
      };
      setTimeout(renew, period);
    })();

    """
}
