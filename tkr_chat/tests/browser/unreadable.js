// Words whose colour is too near to what is behind them: less than 3:1, the least that WCAG asks of anything.
() => {
  const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });

  // Browsers tell colours in whatever notation they were written: painting them gives numbers.
  const painted = (colours) => {
    pixel.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      pixel.fillStyle = colour;
      pixel.fillRect(0, 0, 1, 1);
    }
    return [...pixel.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };

  const behind = (element) => {
    const colours = [];
    for (let at = element; at; at = at.parentElement) colours.unshift(getComputedStyle(at).backgroundColor);
    return ["white", ...colours];
  };

  const light = (rgb) => {
    const [red, green, blue] = rgb.map((part) => part / 255).map((part) => (part <= 0.04 ? part / 12.9 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };

  const contrast = (element) => {
    const ground = behind(element);
    const [darker, lighter] = [light(painted(ground)), light(painted([...ground, getComputedStyle(element).color]))].sort((a, b) => a - b);
    return lighter / darker;
  };

  const says = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getClientRects().length;

  return [...document.querySelectorAll("body *:not(.material-symbols-outlined)")]
    .filter((element) => says(element) && shown(element) && contrast(element) < 3)
    .slice(0, 5).map((element) => `${contrast(element).toFixed(1)} ${element.outerHTML.slice(0, 160)}`).join("\n");
}
