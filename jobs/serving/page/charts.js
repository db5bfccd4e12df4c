// Charts by uPlot; it draws lines and axes, this file adds candles and marks.

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function axes() {
  const look = { stroke: ink("ink"), grid: { stroke: ink("raised") }, ticks: { stroke: ink("line") } };
  return [{ ...look }, { ...look, size: 70 }];
}

export function sparkline(element) {
  const hidden = { show: false };
  return new uPlot({
    width: 118, height: 28, axes: [hidden, hidden], legend: hidden, cursor: hidden, padding: [2, 2, 2, 2],
    scales: { x: { time: false } }, series: [{}, { stroke: ink("link"), width: 1.5, points: hidden }],
  }, [[], []], element);
}

export function lines(element, title, times, series, colours = ["link", "warn", "up", "down"]) {
  const shown = series.map(([label], number) => ({ label, stroke: ink(colours[number]), width: 1.5, spanGaps: false }));
  return new uPlot({ title, width: widthOf(element), height: 200, axes: axes(), series: [{}, ...shown] }, [times, ...series.map(([, values]) => values)], element);
}

// A line over numbers that are no times, with the diagonal on which it should lie.
export function curve(element, title, values, [label, found]) {
  const scales = { x: { time: false } };
  const series = [{ label: "claimed" }, { label, stroke: ink("link"), width: 2, points: { show: true } }, { label: "as claimed", stroke: ink("soft"), dash: [4, 4] }];
  return new uPlot({ title, width: Math.min(420, widthOf(element)), height: 240, axes: axes(), scales, series }, [values, found, values], element);
}

// bars: {time, open, high, low, close} oldest first; marks: {time, price, up, right} where right is true, false, or null while unknown.
export function candles(element, title, bars, marks) {
  const column = (name) => bars.map((bar) => bar[name]);
  const none = () => null;
  const series = ["open", "high", "low", "close"].map((label) => ({ label, paths: none, points: { show: false }, stroke: ink("ink") }));
  const hooks = { draw: [(chart) => { drawCandles(chart, bars); drawMarks(chart, marks); }] };
  const scales = { y: { range: (_, low, high) => [low - (high - low) * 0.05, high + (high - low) * 0.05] } };
  const data = [column("time"), column("open"), column("high"), column("low"), column("close")];
  return new uPlot({ title, width: widthOf(element), height: 320, axes: axes(), scales, series: [{}, ...series], hooks }, data, element);
}

function widthOf(element) {
  return Math.max(280, element.clientWidth);
}

function drawCandles(chart, bars) {
  const { ctx } = chart;
  const step = bars.length > 1 ? Math.abs(chart.valToPos(bars[1].time, "x", true) - chart.valToPos(bars[0].time, "x", true)) : 10;
  const width = Math.max(1, Math.min(12, step * 0.7));
  for (const bar of bars) {
    const x = chart.valToPos(bar.time, "x", true);
    const [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map((price) => chart.valToPos(price, "y", true));
    ctx.fillStyle = ctx.strokeStyle = ink(bar.close >= bar.open ? "up" : "down");
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, high);
    ctx.lineTo(x, low);
    ctx.stroke();
    ctx.fillRect(x - width / 2, Math.min(open, close), width, Math.max(1, Math.abs(close - open)));
  }
}

function drawMarks(chart, marks) {
  const { ctx } = chart;
  for (const mark of marks) {
    const x = chart.valToPos(mark.time, "x", true);
    const y = chart.valToPos(mark.price, "y", true) + (mark.up ? 14 : -14);
    const height = mark.up ? -9 : 9;
    ctx.beginPath();
    ctx.moveTo(x, y + height);
    ctx.lineTo(x - 6, y);
    ctx.lineTo(x + 6, y);
    ctx.closePath();
    ctx.fillStyle = ctx.strokeStyle = ink(mark.up ? "up" : "down");
    ctx.lineWidth = 2;
    if (mark.right === false) ctx.stroke();
    else ctx.fill();
  }
}
