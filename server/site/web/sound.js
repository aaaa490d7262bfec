// Play two soft tones, generated here without a file, if the user chose sounds.

let context = null;

export function chime() {
  context ??= new AudioContext();
  void context.resume();
  [523.25, 783.99].forEach((pitch, index) => {
    const start = context.currentTime + index * 0.14;
    const [tone, loud] = [context.createOscillator(), context.createGain()];
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0, start);
    loud.gain.linearRampToValueAtTime(0.08, start + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, start + 0.5);
    tone.connect(loud).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.55);
  });
}
