// In BertViz's page: does one gesture at a time, as the server asks, and says how many milliseconds it took up to the frame that
// shows it. The browser may still be filling that frame's pixels then; that is not counted.
(async () => {
  const frame = () =>
    new Promise((done) =>
      requestAnimationFrame(() => {
        const channel = new MessageChannel(); // its message comes behind the frame's style, layout and paint
        channel.port1.onmessage = () => done(performance.now());
        channel.port2.postMessage(0);
      })
    );
  const all = (selector) => [...document.querySelectorAll(selector)];
  const heads = () => all("#vis > svg > g:last-of-type > rect");
  const fire = (element, Kind, name) => element.dispatchEvent(new Kind(name, { bubbles: true }));
  const select = document.querySelector("#layer");
  let turn = 0;
  const gestures = {
    hover: () => {
      const tokens = all("#left text");
      fire(tokens[(3 * ++turn + 1) % tokens.length], MouseEvent, "mouseover");
    },
    head: () => fire(heads()[3], MouseEvent, "click"),
    layer: () => {
      select.value = select.value === "4" ? "3" : "4";
      fire(select, Event, "change");
    },
  };
  while (!document.querySelector("#attention line[stroke-opacity]") || !heads().length) {
    await new Promise((done) => setTimeout(done, 2));
  }
  let answer = { ms: await frame(), lines: all("#attention line").length }; // since the page was asked for
  for (;;) {
    const asked = await fetch("/next", { method: "POST", body: JSON.stringify(answer) });
    const name = await asked.text();
    await frame();
    const started = performance.now();
    gestures[name]();
    answer = { ms: (await frame()) - started };
  }
})();
