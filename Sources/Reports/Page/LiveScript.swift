extension Report {
  /// The script of a live page, which its server has beside the page under the name `live.js`.
  ///
  /// It asks for the page again and puts what is new in place of what was there, so that the reader keeps the place,
  /// what is unfolded and the picture that is large. It asks for nothing but the page itself.
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

      // A fold is known again by its title and those of the folds around it.
      const name = (fold) => {
        const titles = [];
        for (let at = fold; at; at = at.parentElement) {
          if (at.tagName === "DETAILS") titles.push(at.querySelector("summary").textContent);
        }
        return titles.join("\\n");
      };

      // A picture is known again by its name, and by how many of that name came before it.
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
        const place = [window.scrollX, window.scrollY];
        for (const part of ["header", "main", "footer"]) {
          const [old, next] = [document.querySelector(`body > ${part}`), fresh.querySelector(`body > ${part}`)];
          if (old && next && old.innerHTML !== next.innerHTML) old.replaceWith(document.adoptNode(next));
        }
        document.title = fresh.title;
        window.scrollTo(...place);
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
