"use strict";
// Draws the charts when they come into sight, sorts tables, writes tables as CSV files. Asks for nothing from anywhere.
(function () {
  var charts = JSON.parse(document.getElementById("charts").textContent);
  var tables = JSON.parse(document.getElementById("tables").textContent);
  var options = { displaylogo: false, displayModeBar: false, responsive: true, staticPlot: false, topojsonURL: "", showTips: false };

  function draw(place) {
    if (place.dataset.drawn) return Promise.resolve();
    place.dataset.drawn = "1";
    var figure = charts[Number(place.dataset.chart)];
    return Plotly.newPlot(place, figure.data, fitted(figure.layout, place), options).then(function () { place.dataset.ready = "1"; });
  }

  // On a narrow screen text and margins shrink a little, so that bars and lines keep room.
  function fitted(layout, place) {
    if (place.clientWidth > 520) return layout;
    var small = JSON.parse(JSON.stringify(layout));
    small.font.size = 10;
    small.legend.font.size = 10;
    return small;
  }

  var places = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  function drawAll() { return Promise.all(places.map(draw)); }
  window.orepactDrawAll = drawAll;

  if ("IntersectionObserver" in window) {
    var seen = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) { if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); } });
    }, { rootMargin: "800px" });
    places.forEach(function (place) { seen.observe(place); });
  } else {
    drawAll();
  }

  // Paper has a width of its own. Flow charts move slowly to a new width, so they are scaled as a picture instead.
  var PAPER = 690;
  function flows(place) { return place.data.some(function (trace) { return trace.type === "sankey"; }); }
  function scale(place, on) {
    place.querySelectorAll(".main-svg").forEach(function (svg) {
      if (on) { svg.setAttribute("viewBox", "0 0 " + svg.getAttribute("width") + " " + svg.getAttribute("height")); svg.dataset.width = svg.getAttribute("width"); svg.setAttribute("width", PAPER); }
      else if (svg.dataset.width) { svg.setAttribute("width", svg.dataset.width); svg.removeAttribute("viewBox"); }
    });
  }
  window.addEventListener("beforeprint", function () {
    drawAll();
    document.querySelectorAll("details.notices").forEach(function (notices) { notices.open = true; });
    places.forEach(function (place) {
      if (!place.layout) return;
      if (flows(place)) scale(place, true);
      else Plotly.relayout(place, { width: PAPER, autosize: false });
    });
  });
  window.addEventListener("afterprint", function () {
    places.forEach(function (place) {
      if (!place.layout) return;
      if (flows(place)) scale(place, false);
      else Plotly.relayout(place, { width: null, autosize: true });
    });
  });

  // ---- sorting: numbers by value, texts by alphabet, blanks last ----
  document.querySelectorAll("table.grid").forEach(function (table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, n) {
      head.firstElementChild.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(function (other) { other.setAttribute("aria-sort", "none"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        var body = table.tBodies[0];
        var rows = Array.prototype.slice.call(body.rows);
        rows.sort(function (a, b) { return compare(a.cells[n], b.cells[n], up); });
        rows.forEach(function (row) { body.appendChild(row); });
      });
    });
  });

  function compare(a, b, up) {
    var numeric = a.classList.contains("n");
    var x = numeric ? a.dataset.v : a.textContent, y = numeric ? b.dataset.v : b.textContent;
    var missingX = numeric ? x === undefined : x === "–", missingY = numeric ? y === undefined : y === "–";
    if (missingX || missingY) return missingX - missingY;
    var order = numeric ? Number(x) - Number(y) : x.localeCompare(y);
    return up ? order : -order;
  }

  // ---- tables as CSV; a text that a spreadsheet would run gets an apostrophe in front ----
  function field(value) {
    if (value === null) return "";
    if (typeof value !== "string") return String(value);
    if (/^[=+\-@\t\r']/.test(value)) value = "'" + value;
    return /[",\n\r]/.test(value) ? '"' + value.replace(/"/g, '""') + '"' : value;
  }

  // A column whose cells repeat is written as its values and where each stands.
  function unpacked(column) {
    return Array.isArray(column) ? column : column.at.map(function (n) { return column.values[n]; });
  }

  function csv(table) {
    var lines = [table.columns.map(field).join(",")], columns = table.cells.map(unpacked);
    for (var n = 0; n < (columns[0] || []).length; n++) {
      lines.push(columns.map(function (cells) { return field(cells[n]); }).join(","));
    }
    return lines.join("\n") + "\n";
  }

  document.querySelectorAll("button.get").forEach(function (button) {
    var table = tables[button.dataset.table];
    if (!table) { button.hidden = true; return; }
    button.addEventListener("click", function () {
      var link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv" }));
      link.download = button.dataset.table + ".csv";
      link.click();
      setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    });
  });
})();
