// Phone widths, with the metrics of common fonts: a page never scrolls sideways, tables fit, the header is one line,
// and the open menu is fully on the screen.
import assert from 'node:assert/strict';

const WIDTHS = [320, 344, 360, 390, 412];
const FONTS = ['DejaVu Sans', 'Inter', 'Roboto'];
/** At this width, text is also measured at twice its size. */
const ENLARGED_AT = 390;

/** Measures a page at every width, in every font, with the account menu closed and open, without reloading it. */
export async function fitsPhones(page) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const faults = await page.evaluate(measure, { fonts: FONTS, sizes: width === ENLARGED_AT ? [100, 200] : [100] });
    assert.deepEqual(faults, [], `at ${width} px`);
  }
}

/** Returns the fonts that are not installed; a missing font would be measured as its fallback. */
export function missingFonts(page) {
  return page.evaluate((fonts) => {
    const pen = document.createElement('canvas').getContext('2d');
    const width = (font) => { pen.font = `40px ${font}`; return pen.measureText('Merchant-managed fulfillment 0123').width; };
    return fonts.filter((font) => ['monospace', 'serif'].some((other) => width(`"${font}", ${other}`) === width(other)));
  }, FONTS);
}

/** Runs in the page. */
function measure({ fonts, sizes }) {
  const faults = [];
  const root = document.scrollingElement;
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const name = (element) => `${element.localName}.${element.className.baseVal ?? element.className} “${element.textContent.trim().slice(0, 40)}”`;
  const isSeen = (element) => element.checkVisibility() && element.getClientRects().length > 0;
  const isInside = (element) => {
    const box = element.getBoundingClientRect();
    return box.left >= 0 && box.right <= root.clientWidth && (box.top + scrollY) >= 0;
  };
  const menu = document.querySelector('header .menu');
  const wasOpen = menu?.open;
  for (const font of fonts) {
    for (const size of sizes) {
      sheet.replaceSync(`html { font-size: ${size}% } body { font-family: "${font}" }`);
      for (const open of menu ? [false, true] : [false]) {
        if (menu) menu.open = open;
        const where = `${font}, ${size} %${open ? ', menu open' : ''}: `;
        if (root.scrollWidth > root.clientWidth) {
          const wide = [...document.body.querySelectorAll('*')].filter((one) => isSeen(one) && one.getBoundingClientRect().right > root.clientWidth + 0.5);
          faults.push(`${where}the page is ${root.scrollWidth} px wide: ${wide.slice(-2).map(name)}`);
        }
        if (open) {
          for (const one of document.querySelectorAll('.menu-box, .menu-box :is(a, button)')) if (!isInside(one)) faults.push(`${where}off the screen: ${name(one)}`);
          continue;
        }
        const tops = [...document.querySelectorAll('.bar > *')].map((one) => one.getBoundingClientRect());
        if (tops.some((one) => one.top >= tops[0].bottom || one.bottom <= tops[0].top)) faults.push(`${where}the header has more than one line`);
        for (const one of document.querySelectorAll('.brand > span')) {
          const [text, brand] = [one.getBoundingClientRect(), one.parentElement.getBoundingClientRect()];
          if (text.top < brand.bottom - 1 && text.bottom > brand.bottom + 1) faults.push(`${where}the product's name is cut`);
        }
        for (const one of document.querySelectorAll('.scroll')) if (isSeen(one) && one.scrollWidth > one.clientWidth) faults.push(`${where}a table scrolls sideways: ${name(one)}`);
        for (const one of document.querySelectorAll('.badge, tbody :is(th, td, time)')) if (isSeen(one) && !isInside(one)) faults.push(`${where}off the screen: ${name(one)}`);
      }
    }
  }
  if (menu) menu.open = wasOpen;
  document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
  return faults;
}
