// Addresses of two pictures for the gallery, a wide and a high one, drawn here: `drawn`.
function pictureOf(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const brush = canvas.getContext("2d");
  for (const [colour, top] of [["#8ec7e8", 0], ["#3d6b8b", 0.55], ["#d8c08a", 0.85]]) {
    brush.fillStyle = colour;
    brush.fillRect(0, top * height, width, height);
  }
  brush.fillStyle = "#fff";
  brush.beginPath();
  brush.moveTo(width * 0.5, height * 0.15);
  brush.lineTo(width * 0.72, height * 0.55);
  brush.lineTo(width * 0.5, height * 0.55);
  brush.fill();
  return new Promise((done) => canvas.toBlob((blob) => done(URL.createObjectURL(blob)), "image/jpeg"));
}

export const drawn = await Promise.all([pictureOf(1280, 860), pictureOf(860, 1280)]);
