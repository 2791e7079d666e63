import Compute

useWidestInstructions()
EvaluateTool.start()
